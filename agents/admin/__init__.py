"""The staff's admin of agents and all they are made of."""

from agents.admin import agents, endpoints, memory, registries, test_cases

__all__ = ["agents", "endpoints", "memory", "registries", "test_cases"]
