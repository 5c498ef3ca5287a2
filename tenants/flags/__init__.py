"""Feature flags: a tenant's own in its schema, the operators' for the whole platform in the public one."""
