"""The usage ledger: what was used, by whom, and what it cost."""
