"""The trail over REST: read, never written."""
