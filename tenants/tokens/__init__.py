"""Tokens of end users: minted for a tenant's program, or by an issuer of the tenant's own; read at the door."""
