"""LiveKit rooms, calls and the worker that speaks in them: the highest layer, which may use every other app."""
