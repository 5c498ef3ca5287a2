"""What changes signing keys and issuers, and what makes tokens."""
