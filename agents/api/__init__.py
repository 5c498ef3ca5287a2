"""The control plane's view of agents."""
