"""The control plane's view of knowledge."""
