"""How an HTTP tool asks a service: a request with places for arguments, and what of the answer matters."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from agents.content.base import Fault, Line, Part
from agents.content.prompt import names_in
from switchboard.kernel.egress import check_url
from switchboard.kernel.problems import Invalid

# What a template may name beside the tool's arguments. The model can't set these.
CONTEXT_NAMES: Final = ("context.contact", "context.conversation")
_HEADER: Final = r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,80}$"
# Set by us, by the credentials, or by HTTP itself.
_OURS: Final = frozenset(
    {
        *("host", "connection", "keep-alive", "upgrade", "te", "trailer", "expect", "transfer-encoding"),
        *("content-length", "content-type", "accept-encoding", "idempotency-key"),
        *("proxy-authorization", "proxy-connection"),
    }
)
_POINTER: Final = re.compile(r"(/([^~/]|~[01])*)*")

HeaderName = Annotated[str, Field(pattern=_HEADER)]


class Header(Part):
    """A header of the request."""

    name: HeaderName
    value: Line


class QueryValue(Part):
    """A value in the query string. One whose arguments weren't given is left out."""

    name: Line = Field(min_length=1)
    value: Line


class ResultField(Part):
    """What is taken from the answer."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,59}$")]
    pointer: Line = Field(default="", description="A JSON pointer (RFC 6901), such as /data/0/price; empty: all of it.")


class HttpRequest(Part):
    """`{{ name }}` stands for an argument, in the path, the query, the headers and the body."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "POST"
    query: tuple[QueryValue, ...] = Field(default=(), max_length=50)
    headers: tuple[Header, ...] = Field(default=(), max_length=50)
    body: dict[str, Any] | None = Field(
        default=None,
        description='JSON with places for arguments, such as {"guest": "{{ name }}"}; none: the arguments themselves.',
    )
    auth: Literal["none", "bearer", "header", "basic"] = Field(
        default="bearer", description="How the secret is sent; for basic it is `user:password`."
    )
    auth_header: Line = Field(default="", description="The header that carries the secret, where auth is header.")
    result: tuple[ResultField, ...] = Field(default=(), max_length=50, description="None: the whole answer.")
    keeps_idempotency_key: bool = Field(
        default=False,
        description="The service carries a request with the same Idempotency-Key out once, however often it comes.",
    )

    def faults(self, url: str, arguments: Collection[str]) -> Iterator[Fault]:
        """What is wrong with it, for a tool at this URL with arguments of these names."""
        known = {*arguments, *CONTEXT_NAMES}
        for place, text in self._templates(url):
            for name in names_in(text):
                if name not in known:
                    yield Fault(place, f"{{{{ {name} }}}} is none of the tool's arguments.")
        if "{{" in authority_of(url):
            yield Fault("handler", "The server can't depend on an argument; the path and the query can.")
        else:
            try:
                check_url(with_examples(url), field="handler")
            except Invalid as refused:
                yield Fault("handler", refused.detail)
        for index, header in enumerate(self.headers):
            if header.name.lower() in _OURS or (self.auth != "none" and header.name.lower() == "authorization"):
                yield Fault(f"http.headers.{index}.name", f"{header.name} is set by the platform.")
        if self.auth == "header" and (not re.fullmatch(_HEADER, self.auth_header) or self.auth_header.lower() in _OURS):
            yield Fault("http.auth_header", "Name the header that carries the secret.")
        for index, field in enumerate(self.result):
            if not _POINTER.fullmatch(field.pointer):
                yield Fault(f"http.result.{index}.pointer", "A JSON pointer is empty or begins with a slash.")
        if self.method == "GET" and self.body is not None:
            yield Fault("http.body", "A GET request has no body.")

    def _templates(self, url: str) -> Iterator[tuple[str, str]]:
        yield "handler", url
        for index, value in enumerate(self.query):
            yield f"http.query.{index}.value", value.value
        for index, header in enumerate(self.headers):
            yield f"http.headers.{index}.value", header.value
        for text in strings_in(self.body):
            yield "http.body", text


def authority_of(url: str) -> str:
    """A URL up to its path: who is asked."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{re.split(r'[/?#]', rest, maxsplit=1)[0]}"


def with_examples(url: str) -> str:
    """A URL template with something in its places."""
    return re.sub(r"\{\{.*?\}\}", "x", url, flags=re.DOTALL)


def strings_in(value: Any) -> Iterator[str]:
    """Every text in a JSON value, and every key."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield str(key)
            yield from strings_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings_in(inner)
