"""How text from outside (passages, tool results) is put into a prompt: as a quotation that it can't end.

A model reads tags by their looks. So within a quotation nothing may look like a tag, whichever angle brackets it is
written with, and nothing may be there that people don't see.
"""

from __future__ import annotations

import re
from typing import Final

from agents.engine.guardrails.folding import without_unseen

_LONGEST_ATTRIBUTE: Final = 300
_KIND: Final = re.compile(r"[a-z][a-z_]{0,30}")
# ASCII, full-width, small form, mathematical, CJK, arrowheads, syllables and the like; and those that quote, too.
_BRACKET: Final = "<\uff1c\ufe64\u27e8\u3008\u2329\u276c\u276e\u2770\u29fc\u1438\u02c2\u226e\u22d6\u2a79\u16b2\u1433"
_QUOTING: Final = "\u2039\u300a\u00ab\u27ea"
_ENTITY: Final = r"&(?:amp;){0,5}(?:lt|LT|#0{0,6}60|#[xX]0{0,6}3[cC]|lang|langle|laquo|lsaquo);?"
_ESCAPE: Final = r"\\(?:u003[cC]|x3[cC]|074)"
_MARK: Final = r"\s*[/|!?\\\u2044\u2215\u29f8\uff0f\uff5c]"
# An opening bracket counts where a tag may follow: "<passage", "< / passage", "<|im_end|>", "<<SYS>>"; not in "a < b".
_TAG: Final = re.compile(rf"(?:[{_BRACKET}]|{_ENTITY}|{_ESCAPE})+(?={_MARK}|[^\W\d_])|[{_QUOTING}]+(?={_MARK})")
# What some models' chat templates take for the begin of somebody else's words.
_ROLE: Final = re.compile(r"\[(?=/?\s*(?:INST|SYS|/INST)\b)", re.IGNORECASE)
_IN_ATTRIBUTE: Final = str.maketrans(dict.fromkeys('"\u201c\u201d\uff02\u201e', "'") | dict.fromkeys(">\uff1e", ")"))
_BREAKS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")


def quote_as_data(kind: str, text: str, **attributes: object) -> str:
    """A text as a quotation within a prompt: `<passage number="1">…</passage>`.

    Args:
        kind: the tag: small letters and `_`.
        attributes: of the tag; may come from outside, too.
    """
    assert _KIND.fullmatch(kind), kind
    told = "".join(f' {name}="{_attribute(str(value))}"' for name, value in attributes.items())
    return f"<{kind}{told}>\n{as_data(text)}\n</{kind}>"


def as_data(text: str) -> str:
    """A text in which nothing looks like a tag or a chat template's mark, and nothing is hidden."""
    clean = _BREAKS.sub(" ", without_unseen(text.replace("\r\n", "\n")))
    return _ROLE.sub("(", _TAG.sub("(", clean))


def _attribute(value: str) -> str:
    flat = " ".join(as_data(value).split())[:_LONGEST_ATTRIBUTE]
    return re.sub(f"[{_BRACKET}{_QUOTING}]", "(", flat).translate(_IN_ATTRIBUTE)
