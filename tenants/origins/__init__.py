"""From which web pages a tenant's API may be called (CORS)."""
