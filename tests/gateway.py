"""Calls a module's handler with the event that API Gateway would send."""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from shared.access import ROLE_PERMISSIONS, Permission, Role

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


class LambdaContext:
    """The context that the Lambda runtime passes beside the event."""

    function_name = "test"
    memory_limit_in_mb = 1024
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:test"
    aws_request_id = "00000000-0000-4000-8000-000000000000"

    def __init__(self, seconds: float = 900.0) -> None:
        self._seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the timeout: no time goes by here."""
        return int(self._seconds * 1000)


@dataclass(frozen=True)
class Answer:
    """A handler's answer."""

    status: int
    headers: Mapping[str, str]
    body: Any


def claims_of(
    role: Role = Role.IT_ADMIN, counties: Collection[str] = ("king_wa",), username: str = "somebody"
) -> dict[str, str]:
    """The claims of an access token of somebody with this role."""
    permissions: frozenset[Permission] = ROLE_PERMISSIONS[role]
    return {
        "sub": f"sub-of-{username}",
        "username": username,
        "scope": " ".join(sorted(permission.scope for permission in permissions)),
        "counties": " ".join(counties),
        "roles": role.value,
        "token_use": "access",
    }


def proxy_event(
    method: str,
    resource: str,
    *,
    path: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
    body: object = None,
    headers: Mapping[str, str] | None = None,
    claims: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """A REST API proxy event; `body` is sent as JSON, or as it is when it is a string."""
    sent = {"content-type": "application/json", **{k.lower(): v for k, v in (headers or {}).items()}}
    query = dict(query or {}) or None
    encoded = {name: quote(text, safe="") for name, text in (path or {}).items()}
    return {
        "resource": resource,
        "path": resource.format(**encoded),
        "httpMethod": method,
        "headers": sent,
        "multiValueHeaders": {name: [value] for name, value in sent.items()},
        "queryStringParameters": query,
        "multiValueQueryStringParameters": {k: [v] for k, v in query.items()} if query else None,
        "pathParameters": encoded or None,
        "stageVariables": None,
        "requestContext": {
            "requestId": "request-1",
            "stage": "test",
            "identity": {"sourceIp": "127.0.0.1"},
            "authorizer": {"claims": dict(claims if claims is not None else claims_of())},
            "httpMethod": method,
            "path": resource.format(**encoded),
        },
        "body": body if body is None or isinstance(body, str) else json.dumps(body),
        "isBase64Encoded": False,
        "rawQuery": urlencode(query or {}, errors="replace"),
    }


def call(handler: Handler, method: str, resource: str, **options: Any) -> Answer:
    """Call a handler as `proxy_event` says, and read its answer."""
    response = handler(proxy_event(method, resource, **options), LambdaContext())
    headers = {name.lower(): values[0] for name, values in (response.get("multiValueHeaders") or {}).items()}
    text = response.get("body") or ""
    return Answer(
        response["statusCode"], headers, json.loads(text) if "json" in headers.get("content-type", "") else text
    )
