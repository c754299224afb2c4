"""What every answer says to the browser that may show it, the gateway's own answers included."""

from typing import Any

SECURITY_HEADERS = {
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
"""Answers hold tokens and a county's records: no cache keeps them. An answer that says otherwise is left alone."""


def add_security_headers(answer: dict[str, Any]) -> dict[str, Any]:
    """A proxy integration's answer with what it does not say itself."""
    said = {name.lower() for kind in ("headers", "multiValueHeaders") for name in answer.get(kind) or {}}
    added = {name: [value] for name, value in SECURITY_HEADERS.items() if name.lower() not in said}
    answer["multiValueHeaders"] = {**(answer.get("multiValueHeaders") or {}), **added}
    return answer
