"""What changes allowed origins."""
