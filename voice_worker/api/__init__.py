"""Voice over REST."""
