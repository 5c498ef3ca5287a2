"""What is known of a token at the door."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from switchboard.kernel.problems import Problem


class TokenRefused(Problem):
    """One answer for all that may be wrong with a token: what exactly is nobody's business but its sender's."""

    def __init__(self) -> None:
        super().__init__(
            "invalid_token",
            "The token can't be read, has expired, or isn't for this company.",
            status=401,
            headers={"WWW-Authenticate": 'Bearer realm="switchboard", error="invalid_token"'},
        )


@dataclass(frozen=True, slots=True)
class TokenEntry:
    """A contact with a token that holds.

    Args:
        expires: seconds since 1970.
        issuer: whose token it is; empty for the platform's own.
        agent: the one agent it is for, if it is for one.
        key_id: the API key that it was minted with, if one was.
    """

    contact: str
    expires: float
    issuer: str = ""
    session: str = ""
    agent: uuid.UUID | None = None
    key_id: uuid.UUID | None = None
