"""Secrets that are kept for use and shown to nobody."""
