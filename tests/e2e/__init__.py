"""A real browser against the platform as `make run` starts it. A package, so that its platform and its browser end
before other tests begin: Playwright keeps an event loop running in the main thread."""
