"""The engine: one turn in, events out. Every channel uses `turn.run_turn`."""
