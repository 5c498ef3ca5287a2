"""What billing does: the only place that writes the ledger."""
