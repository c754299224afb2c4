"""Verification of the user pool's access tokens (JWT), by the pool's published keys."""

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

import jwt

from functions.keys.service.credentials import UnauthorizedError
from shared.settings import settings

_TIMEOUT_S = 3
"""Of reading the published keys: half of it would do, and a caller waits."""
CLAIMS = ("sub", "username", "scope", "counties", "roles", "withheld")
"""The claims that handlers read."""


def verified_claims(token: str) -> dict[str, str]:
    """The claims of an access token of the pool's client. Raises UnauthorizedError.

    Where the published keys cannot be read, PyJWT's PyJWKClientConnectionError is raised.
    """
    try:
        claims = _decoded(token)
    except jwt.PyJWKClientConnectionError:
        raise
    except (jwt.InvalidTokenError, jwt.PyJWKClientError) as error:
        raise UnauthorizedError(f"{type(error).__name__}: {error}") from error
    if claims.get("token_use") != "access":
        raise UnauthorizedError("not an access token")
    if claims.get("client_id") != settings().user_pool_client_id:
        raise UnauthorizedError("issued to another client")
    return {name: claims[name] for name in CLAIMS if isinstance(claims.get(name), str)}


def _decoded(token: str) -> Mapping[str, Any]:
    key_id = jwt.get_unverified_header(token).get("kid")
    if not isinstance(key_id, str):
        raise jwt.InvalidTokenError("no key id")
    claims: dict[str, Any] = jwt.decode(
        token,
        _published_keys().get_signing_key(key_id),
        algorithms=["RS256"],
        issuer=_issuer(),
        options={"require": ["exp", "iss", "sub"], "verify_aud": False},
    )
    return claims


def _issuer() -> str:
    pool = settings().user_pool_id
    return f"https://cognito-idp.{pool.partition('_')[0]}.amazonaws.com/{pool}"


@cache
def _published_keys() -> jwt.PyJWKClient:
    """The pool's published keys, kept in the process; one of an unknown id is looked for every half minute at most."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    address = f"{endpoint}/{settings().user_pool_id}" if endpoint else _issuer()
    return jwt.PyJWKClient(f"{address}/.well-known/jwks.json", lifespan=3600, timeout=_TIMEOUT_S)
