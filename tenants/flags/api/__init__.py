"""Flags over REST."""
