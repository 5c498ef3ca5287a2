"""The control plane's view of the ledger."""
