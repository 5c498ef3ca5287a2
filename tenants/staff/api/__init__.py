"""Members, what they may do, and invitations over REST."""
