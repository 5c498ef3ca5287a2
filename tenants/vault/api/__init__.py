"""Secrets over REST."""
