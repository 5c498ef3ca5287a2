"""What can be done with flags: the only place that writes their rows."""
