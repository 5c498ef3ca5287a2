"""Tools that are somebody's HTTP service: one request, bounded in time and size, to where its template says."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any, Final

import httpx2

from agents.content.http_request import HttpRequest
from agents.tools import egress
from agents.tools.calls import Call
from agents.tools.credentials import credential_for
from agents.tools.filling import body_of, header_value, headers_of, url_of, values_of
from agents.tools.results import ToolFailed, ToolResult
from switchboard.kernel.database import in_database

_SHOWN_OF_ERROR: Final = 2000  # characters of what a service says was wrong


async def carry_out(call: Call) -> ToolResult:
    """Ask a service.

    Raises:
        ToolFailed: `tool_arguments_invalid`; `tool_credential_expired`; `tool_secret_missing`; `tool_address_refused`;
            `tool_unreachable`; `tool_timeout`; `tool_answered_error`; `tool_redirected`; `tool_result_too_large`.
    """
    content = call.tool.content
    request = content.request
    values = values_of(call.arguments, call.context)
    url = url_of(content.handler, request, values)
    headers = {"Accept": "application/json", **headers_of(request, values)}
    credential = await in_database(
        credential_for, tool=call.tool.slug, secret=content.credentials, contact=call.context.contact
    )
    headers.update(_signed(request, credential))
    if call.writes:
        headers["Idempotency-Key"] = call.context.key
    body = body_of(request, call.arguments, values)
    progress = egress.Progress()
    try:
        async with asyncio.timeout(content.timeout_seconds):
            status, text = await _ask(request.method, url, headers, body, progress)
    except (TimeoutError, httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
        raise egress.failure_of(error, is_sent=progress.is_sent) from None
    _check_status(status, text)
    return call.result(_mapped(request, _read(text)), is_untrusted=True)


async def _ask(method: str, url: str, headers: dict[str, str], body: Any, progress: egress.Progress) -> tuple[int, str]:
    async with egress.client() as client:
        content_of = {} if body is None else {"json": body}
        traced = {"trace": progress.trace}
        request = client.build_request(method, url, headers=headers, extensions=traced, **content_of)
        response = await client.send(request, stream=True)
        try:
            content = bytearray()
            async for part in response.aiter_bytes():
                content += part
                if len(content) > egress.LONGEST_ANSWER:
                    raise ToolFailed("tool_result_too_large", "The service's answer is too large.", maybe_done=True)
            return response.status_code, content.decode(response.encoding or "utf-8", "replace")
        except LookupError:
            return response.status_code, content.decode("utf-8", "replace")
        finally:
            await response.aclose()


def _signed(request: HttpRequest, credential: str) -> dict[str, str]:
    if not credential or request.auth == "none":
        return {}
    match request.auth:
        case "header":
            return {request.auth_header: header_value(credential)}
        case "basic":
            return {"Authorization": "Basic " + base64.b64encode(credential.encode()).decode()}
    return {"Authorization": f"Bearer {header_value(credential)}"}


def _check_status(status: int, text: str) -> None:
    if status < 300:
        return
    if status < 400:
        raise ToolFailed("tool_redirected", "The service sent us elsewhere, which is not followed.", maybe_done=True)
    raise ToolFailed(
        "tool_answered_error",
        f"The service answered {status}.",
        data={"status": status, "body": text[:_SHOWN_OF_ERROR]},
        # One that refuses a request has done nothing; one that breaks down may have.
        maybe_done=status >= 500 or status == 408,
    )


def _read(text: str) -> Any:
    """The answer as JSON, or as the text it is."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _mapped(request: HttpRequest, answer: Any) -> Any:
    if not request.result:
        return answer
    return {field.name: pointed(answer, field.pointer) for field in request.result}


def pointed(value: Any, pointer: str) -> Any:
    """What a JSON pointer (RFC 6901) points at; None where there is nothing."""
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict):
            value = value.get(name)
        elif isinstance(value, list) and name.isascii() and name.isdecimal() and int(name) < len(value):
            value = value[int(name)]
        else:
            return None
    return value
