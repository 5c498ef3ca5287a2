"""Allowed origins over REST."""
