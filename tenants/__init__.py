"""Tenants, domains, staff and API keys; the tenant context, the one door to a tenant's data."""
