LEASE_KIND = "turn"
