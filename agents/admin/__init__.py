"""The staff's admin of agents and all they are made of."""

from agents.admin import agents, endpoints, registries

__all__ = ["agents", "endpoints", "registries"]
