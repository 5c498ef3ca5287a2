"""Tokens and issuers over REST."""
