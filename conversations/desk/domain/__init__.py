"""What changes leads, reservations and their calendars."""
