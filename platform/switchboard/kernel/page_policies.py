"""What a page may do in a browser: its Content-Security-Policy and Permissions-Policy (docs/adr/0040)."""

from __future__ import annotations

from typing import Final

# Everything a page needs comes from the host it came from; what isn't named here is refused.
_CONTENT: Final = {
    "default-src": "'none'",
    "script-src": "'self'",
    # unfold writes the colours of the admin into its pages, and bars and text fields are sized by style attributes.
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "media-src": "'self'",
    "worker-src": "'self'",
    "base-uri": "'none'",
    # Chromium asks it of every redirect after a form too, so no form may lead to another host.
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
_DEVICES: Final = ("camera", "display-capture", "geolocation", "microphone", "payment", "usb")


def content_policy(*, script: str = "'self'") -> str:
    """A Content-Security-Policy.

    Args:
        script: where scripts may come from. Never `'unsafe-inline'`.
    """
    return "; ".join(f"{name} {sources}" for name, sources in {**_CONTENT, "script-src": script}.items())


def permissions_policy(*allowed: str) -> str:
    """A Permissions-Policy: a page may use what is named, and none of a browser's other devices."""
    given = [f"{name}=(self)" for name in allowed]
    return ", ".join([*given, *(f"{name}=()" for name in _DEVICES if name not in allowed)])
