"""What the platform does with tenants: the only place that writes them."""
