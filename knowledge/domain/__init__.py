"""What this app does: the only place that writes its rows."""
