"""What goes neither in nor out, and how text from outside is put to a model. Pure: no model, no database, no clock."""

from agents.engine.guardrails.discretion import reveals
from agents.engine.guardrails.grounding import Fault, grounding
from agents.engine.guardrails.hosts import LinkPolicy
from agents.engine.guardrails.incoming import check_input
from agents.engine.guardrails.outgoing import OutputGuard
from agents.engine.guardrails.proposals import safe_arguments
from agents.engine.guardrails.quotation import as_data, quote_as_data
from agents.engine.guardrails.redaction import redact
from agents.engine.guardrails.verdicts import Verdict

__all__ = [
    "Fault",
    "LinkPolicy",
    "OutputGuard",
    "Verdict",
    "as_data",
    "check_input",
    "grounding",
    "quote_as_data",
    "redact",
    "reveals",
    "safe_arguments",
]
