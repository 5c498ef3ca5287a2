"""What is done with people; the only place that writes them."""
