"""People who sign in: a tenant's staff in its own schema, the platform's operators in the public one."""
