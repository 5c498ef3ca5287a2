"""The registries, the agents made of them, the releases that fix what an agent does, and the tests of releases."""

from agents.models.actions import Action
from agents.models.agents import Agent, AgentVersion, Release
from agents.models.cache import CachedAnswer
from agents.models.component import Component, Version
from agents.models.endpoints import ModelEndpoint
from agents.models.memory import ContactConsent, ContactFact, ConversationSummary
from agents.models.registries import (
    Personality,
    PersonalityVersion,
    Prompt,
    PromptVersion,
    RuntimeConfig,
    RuntimeConfigVersion,
    Tool,
    ToolVersion,
)
from agents.models.tests import TestCase, TestResult, TestRun
from agents.models.tool_calls import ToolCallRecord
from agents.models.tool_credentials import ToolCredential
from agents.models.traces import TurnTrace

__all__ = [
    "Action",
    "Agent",
    "AgentVersion",
    "CachedAnswer",
    "Component",
    "ContactConsent",
    "ContactFact",
    "ConversationSummary",
    "ModelEndpoint",
    "Personality",
    "PersonalityVersion",
    "Prompt",
    "PromptVersion",
    "Release",
    "RuntimeConfig",
    "RuntimeConfigVersion",
    "TestCase",
    "TestResult",
    "TestRun",
    "Tool",
    "ToolCallRecord",
    "ToolCredential",
    "ToolVersion",
    "TurnTrace",
    "Version",
]
