"""What agents take down for the people at the desk: leads, reservations, and that somebody wants a person."""
