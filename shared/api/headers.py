"""Security headers of every answer, the gateway's own included."""

from typing import Any

SECURITY_HEADERS = {
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
"""Answers hold tokens and a county's records: no cache keeps them, unless an answer has headers of its own."""


def add_security_headers(answer: dict[str, Any]) -> dict[str, Any]:
    """A proxy integration's answer with those of the headers that it does not have itself."""
    present = {name.lower() for kind in ("headers", "multiValueHeaders") for name in answer.get(kind) or {}}
    added = {name: [value] for name, value in SECURITY_HEADERS.items() if name.lower() not in present}
    answer["multiValueHeaders"] = {**(answer.get("multiValueHeaders") or {}), **added}
    return answer
