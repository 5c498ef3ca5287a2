"""What is written of meetings, sessions and their time axis."""
