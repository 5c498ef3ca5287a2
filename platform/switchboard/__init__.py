"""The Django project: settings, URLs, entry points, and the kernel every app may use."""
