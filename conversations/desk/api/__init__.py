"""Leads, reservations and calendars over REST."""
