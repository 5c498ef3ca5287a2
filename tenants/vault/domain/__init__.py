"""What changes secrets."""
