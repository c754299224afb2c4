"""The Cognito authorizer: is this an access token of our pool, and what does it claim."""

import json
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

_REMEMBERED = 2048


class RefusedTokenError(Exception):
    """The token is not one that opens anything; the message says why (for the log, not for the caller)."""


@dataclass(frozen=True)
class Verified:
    """A token's claims as API Gateway passes them on (all strings), its scopes, and when it ends (epoch)."""

    claims: Mapping[str, str]
    scopes: frozenset[str]
    expires: float


class TokenVerifier:
    """Verifies once, then remembers: a signature costs more than the rest of the gateway's work."""

    def __init__(self, issuer: str, client_ids: frozenset[str], keys: Mapping[str, RSAPublicKey]) -> None:
        self._issuer = issuer
        self._client_ids = client_ids
        self._keys = keys
        self._remembered: OrderedDict[str, Verified] = OrderedDict()

    def verify(self, token: str) -> Verified:
        """The claims of a valid access token. Raises RefusedTokenError."""
        verified = self._remembered.get(token)
        if verified is None:
            verified = self._check(token)
            self._remembered[token] = verified
            if len(self._remembered) > _REMEMBERED:
                self._remembered.popitem(last=False)
        if verified.expires <= time.time():
            self._remembered.pop(token, None)
            raise RefusedTokenError("expired")
        return verified

    def _check(self, token: str) -> Verified:
        try:
            key = self._keys[jwt.get_unverified_header(token)["kid"]]
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=["RS256"],
                issuer=self._issuer,
                options={"require": ["exp", "iss", "sub"], "verify_aud": False},
            )
        except KeyError:
            raise RefusedTokenError("signed with a key that is not the pool's") from None
        except jwt.InvalidTokenError as error:
            raise RefusedTokenError(str(error)) from error
        if claims.get("token_use") != "access":
            raise RefusedTokenError("not an access token")
        if str(claims.get("client_id")) not in self._client_ids:
            raise RefusedTokenError("issued to another client")
        return Verified(
            claims={name: _as_text(value) for name, value in claims.items()},
            scopes=frozenset(str(claims.get("scope", "")).split()),
            expires=float(claims["exp"]),
        )


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ",".join(value)
    return json.dumps(value)
