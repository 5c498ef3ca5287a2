"""A session as its page tells it: what happened, on one time axis, and how long each answer took."""
