"""The database backend: PostgreSQL whose search path follows `tenants.context`."""
