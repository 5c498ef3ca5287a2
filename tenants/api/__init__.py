"""The control plane's view of tenants, and who may call it."""
