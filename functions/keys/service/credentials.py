"""The credentials of a request, from its headers and from nowhere else."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from shared.access import key_secret

UNAUTHORIZED = "Unauthorized"
"""The message of an authorizer's error by which API Gateway answers 401; any other is a failure."""


class UnauthorizedError(Exception):
    """Credentials that open nothing. The message is the gateway's word; `reason` is for the log."""

    def __init__(self, reason: str) -> None:
        super().__init__(UNAUTHORIZED)
        self.reason = reason


def sent_credentials(event: Mapping[str, Any]) -> str | None:
    """The key or the access token of a request; None for one without the header Authorization.

    Raises UnauthorizedError for a header that holds neither.
    """
    sent: list[str] = [
        value
        for name, values in (event.get("multiValueHeaders") or {}).items()
        if name.lower() == "authorization"
        for value in values
    ]
    if not sent:
        return None
    if len(sent) > 1:
        raise UnauthorizedError("several headers")
    scheme, _, value = sent[0].strip().partition(" ")
    match scheme.lower():
        case "basic":
            return _basic_password(value.strip())
        case "bearer":
            return value.strip()
    return sent[0].strip()  # a token without its scheme, as API Gateway's own authorizers take it


def _basic_password(value: str) -> str:
    """The password of Basic credentials (RFC 7617), which is a key; the user's name may be any."""
    try:
        decoded = base64.b64decode(value, validate=True).decode()
    except (binascii.Error, ValueError):
        raise UnauthorizedError("Basic credentials that cannot be decoded") from None
    password = decoded.partition(":")[2]
    if not key_secret.is_secret(password):
        raise UnauthorizedError("a password that is no key")
    return password
