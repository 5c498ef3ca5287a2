"""Agents and their releases; the engine that runs a turn."""
