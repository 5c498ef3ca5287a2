"""What goes wrong with a model, in codes of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from billing.domain.usage import Usage
from switchboard.kernel.egress import EgressRefused, caused_by

if TYPE_CHECKING:
    import openai


class ModelFailed(Exception):
    """A model call that came to nothing.

    Args:
        code: stable: `model_unreachable`, `model_timeout`, `model_overloaded`, `model_refused`, `model_not_found`,
            `model_error`, `model_stream_broken`, `model_address_refused`, `model_endpoint_missing`,
            `model_key_missing`, `model_unavailable` (it failed often just now and is left alone for some seconds),
            `model_missing` (the chain names none), `model_answer_invalid` (no JSON of the schema), `rate_limited` (the
            tenant's own limit).
        detail: a sentence for the tenant's staff; never holds what the provider said, which may quote keys.
        may_pass: whether trying again has a chance.
        retry_after: seconds the provider asked to wait.
        usages: what the failed attempts used, where whoever called could not be told piece by piece.
        status: the HTTP status that refused the call; 0 where there was none.
    """

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        may_pass: bool = False,
        retry_after: float | None = None,
        usages: tuple[Usage, ...] = (),
        status: int = 0,
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.may_pass = may_pass
        self.retry_after = retry_after
        self.usages = usages
        self.status = status


def failure_of(error: Exception, name: str) -> ModelFailed:
    """What an exception of a client library means.

    Args:
        name: the endpoint's.
    """
    import openai  # half a second and 20 MB, which only those should pay who call a model

    if isinstance(error, ModelFailed):
        return error
    if caused_by(error, EgressRefused):
        return ModelFailed("model_address_refused", f"The address of {name} is not one that agents may reach.")
    match error:
        case TimeoutError() | openai.APITimeoutError():
            return ModelFailed("model_timeout", f"The model at {name} took too long to answer.")
        case openai.APIConnectionError():
            return ModelFailed("model_unreachable", f"{name} can't be reached.", may_pass=True)
        case openai.APIStatusError():
            return refusal(error.status_code, _retry_after(error), name)
    return ModelFailed("model_stream_broken", f"{name} stopped or sent something that is no answer.", may_pass=True)


def refusal(status: int, wait: float | None, name: str) -> ModelFailed:
    """What an HTTP status other than success means.

    Args:
        wait: seconds the provider asks for.
    """
    match status:
        case 429:
            return ModelFailed("model_overloaded", f"{name} is limiting our requests.", may_pass=True, retry_after=wait)
        case 401 | 403:
            return ModelFailed("model_refused", f"{name} refused our key. Check the endpoint's API key.")
        case 404:
            return ModelFailed("model_not_found", f"{name} doesn't know this model or address.", status=status)
        case status if status >= 500:
            return ModelFailed("model_error", f"{name} failed (HTTP {status}).", may_pass=True, retry_after=wait)
    return ModelFailed("model_refused", f"{name} refused the request (HTTP {status}).", status=status)


def seconds_of(header: str) -> float | None:
    """Seconds that a `Retry-After` asks for (RFC 9110, 10.2.3), where it gives a number."""
    try:
        return max(0.0, float(header))
    except ValueError:
        return None


def _retry_after(error: openai.APIStatusError) -> float | None:
    return seconds_of(error.response.headers.get("retry-after", ""))
