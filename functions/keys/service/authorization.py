"""The decision about a request: who sends it, and whether its route is open to that caller.

The gateway keeps a decision by the header and by the route (`context.resourcePath`), so each policy is of one route,
and what a role or a key may not do is refused by the gateway itself. Claims go on to the handler, which checks them
again.
"""

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from aws_lambda_powertools import Logger

from functions.keys.service import open_collections
from functions.keys.service.access_tokens import verified_claims
from functions.keys.service.credentials import UnauthorizedError, sent_credentials
from functions.keys.service.presented_keys import PresentedKeys
from shared.access import Access, Permission, key_secret

_logger = Logger(service="keys")
_presented_keys = PresentedKeys()

_ROUTES = Path(__file__).parent.parent / "read_routes.json"
"""Derived from every module's routes by `python -m infra.openapi`: a function carries its own module only."""
_ANONYMOUS = "anonymous"


def authorize(event: Mapping[str, Any]) -> dict[str, Any]:
    """API Gateway's answer of an authorizer to a request: a policy, and the claims for the handler.

    Raises UnauthorizedError without credentials that are known.
    """
    try:
        return _decision(event)
    except UnauthorizedError as error:
        _logger.info("credentials refused", reason=error.reason, resource=event.get("resource"))
        raise


def _decision(event: Mapping[str, Any]) -> dict[str, Any]:
    permission, access = _routes().get(str(event.get("resource")), (None, Access.KEY))
    credentials = sent_credentials(event)
    if credentials is None:
        parameters = event.get("pathParameters") or {}
        if access is not Access.OPEN or not open_collections.is_open(parameters):
            raise UnauthorizedError("no credentials")
        return _answer(event, _ANONYMOUS, {}, allow=True)
    if key_secret.is_secret(credentials):
        claims = _presented_keys.claims(credentials)
        principal = f"key/{claims['key_id']}"
    else:
        claims = verified_claims(credentials)
        principal = claims["sub"]
    allow = permission is not None and permission.scope in claims.get("scope", "").split()
    return _answer(event, principal, claims, allow=allow)


def _answer(event: Mapping[str, Any], principal: str, claims: dict[str, str], *, allow: bool) -> dict[str, Any]:
    statement = {
        "Action": "execute-api:Invoke",
        "Effect": "Allow" if allow else "Deny",
        "Resource": _resources(str(event["methodArn"]), str(event["resource"])),
    }
    return {
        "principalId": principal,
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": claims,
    }


def _resources(method_arn: str, resource: str) -> list[str]:
    """The ARNs of a route for all values of its parameters, from that of a request to it: a path that ends in a slash
    is of the same route.
    """
    api, stage, method = method_arn.split("/")[:3]
    route = f"{api}/{stage}/{method}{re.sub(r'{[^}]*}', '*', resource)}"
    return [route, f"{route}/"]


@cache
def _routes() -> Mapping[str, tuple[Permission, Access]]:
    """Permission and access of each route that keys open, by its path."""
    described: dict[str, dict[str, str]] = json.loads(_ROUTES.read_text())
    return {path: (Permission(route["permission"]), Access(route["access"])) for path, route in described.items()}
