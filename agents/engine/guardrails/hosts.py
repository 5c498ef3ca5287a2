"""Where links lead, and whether an answer may lead there."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from agents.engine.guardrails.folding import without_unseen

LONGEST_LINK: Final = 2048
_CONTROLS: Final = re.compile(r"[\x00-\x20\x7f-\xa0\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]")
_ESCAPED: Final = re.compile(r"\\([!-/:-@\[-`{-~])")
_SCHEME: Final = re.compile(r"([a-z][a-z0-9+.-]*):(.*)", re.DOTALL)
_HOST: Final = re.compile(r"[a-z0-9._-]{1,253}|\[[0-9a-f:.]+\]")
_HARMLESS: Final = re.compile(r"tel:\+?[0-9().-]{3,30}|mailto:[^?&]{3,254}")
_IN_TEXT: Final = re.compile(r"https?://[^\s<>\"'`\[\]]{1,2048}", re.IGNORECASE)
_AFTER_LINK: Final = ".,;:!?*_~)"


@dataclass(frozen=True, slots=True)
class LinkPolicy:
    """Where an answer may lead.

    Args:
        hosts: the tenant's own and those it allows, in small letters; their subdomains are allowed with them.
        links: whole addresses that stand in the passages the answer was made from. As they are they tell their host
            nothing of the conversation; one with anything added might. An image is fetched without a click, so for
            images the host decides alone.
    """

    hosts: frozenset[str] = frozenset()
    links: frozenset[str] = frozenset()

    @classmethod
    def of(cls, *, hosts: Iterable[str] = (), passages: Iterable[str] = ()) -> LinkPolicy:
        """A policy that allows these hosts, and the links that stand in the passages."""
        found = (match[0] for passage in passages for match in _IN_TEXT.finditer(passage))
        return cls(
            frozenset(host.casefold().removeprefix("*.").rstrip(".").partition(":")[0] for host in hosts),
            frozenset(_normal(link.rstrip(_AFTER_LINK)) for link in found),
        )

    def allows(self, link: str, *, is_image: bool = False) -> bool:
        """Whether an answer may hold this link. A relative one leads to where the answer is shown."""
        if len(link) >= LONGEST_LINK:
            return False
        # Not every reader of Markdown resolves escapes: what either of them sees must be allowed.
        return all(self._allows(read, is_image) for read in {link, _ESCAPED.sub(r"\1", link)})

    def _allows(self, link: str, is_image: bool) -> bool:
        normal = _normal(link)
        if not is_image and (normal.rstrip(_AFTER_LINK) in self.links or _HARMLESS.fullmatch(normal)):
            return True
        host = host_of(link)
        if host is None:
            return False
        return not host or any(host == own or host.endswith(f".{own}") for own in self.hosts)


def host_of(link: str) -> str | None:
    """The host that a browser would ask; "" for a relative link, None where it can't be told or there is none."""
    normal = _normal(link).replace("\\", "/")
    if match := _SCHEME.fullmatch(normal):
        if match[1] not in ("http", "https"):
            return None
        rest = match[2].lstrip("/")
    elif normal.startswith("//"):
        rest = normal.lstrip("/")
    elif normal.startswith("www."):
        rest = normal
    else:
        return ""
    place = re.split(r"[/?#]", rest, maxsplit=1)[0].rpartition("@")[2]
    host = re.sub(r":[0-9]*$", "", place).rstrip(".")
    if not host.isascii():
        try:
            host = host.encode("idna").decode()
        except UnicodeError:
            return None
    return host if _HOST.fullmatch(host) else None


def shown_host(link: str) -> str:
    """What is shown in place of a link that isn't allowed: its host, without what was to be told to it."""
    plain = _ESCAPED.sub(r"\1", link)
    host = next((found for read in (plain, link, f"//{plain}") if (found := host_of(read)) != ""), None)
    return host[-80:] if host else "link"


def _normal(link: str) -> str:
    """A link as browsers read it: entities and escapes resolved, nothing unseen, scheme and host in small letters."""
    plain = link
    for _ in range(3):
        plain = html.unescape(plain)
    plain = _CONTROLS.sub("", without_unseen(plain))
    head, mark, tail = plain.partition("?")
    scheme_and_host = re.match(r"[^/\\?#]*[/\\]*[^/\\?#]*", head)
    end = scheme_and_host.end() if scheme_and_host else 0
    begin = unicodedata.normalize("NFKC", head[:end]).casefold()
    if any(begin.count(sign) != head[:end].count(sign) for sign in "/\\@:?#"):
        return "unreadable:"  # a sign that browsers refuse or take for a separator
    return begin + head[end:] + mark + tail
