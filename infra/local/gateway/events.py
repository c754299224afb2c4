"""The event and the answer of a Lambda proxy integration (payload format 1.0)."""

import base64
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from infra.local.cloud_assembly import ACCOUNT

Headers = list[tuple[bytes, bytes]]


class Request(NamedTuple):
    """A request as it came in; header names are lower-case, `query` and `path` are still encoded."""

    method: str
    path: str
    query: bytes
    headers: Headers
    body: bytes
    source_ip: str
    protocol: str


class ApiIdentity(NamedTuple):
    """The API's identifier and stage, as events name them."""

    identifier: str
    stage: str


def proxy_event(
    request: Request,
    resource: str,
    parameters: Mapping[str, str],
    api: ApiIdentity,
    request_id: str,
    authorizer: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """The event for a request to a resource (the route's path) with the path's parameters.

    `authorizer` is what the route's authorizer has found out about the caller; None on a route without one.
    """
    headers, many_headers = _headers(request.headers)
    query, many_query = _query(request.query)
    body, encoded = _body(request.body)
    now = time.time()
    return {
        "resource": resource,
        "path": request.path,
        "httpMethod": request.method,
        "headers": headers,
        "multiValueHeaders": many_headers,
        "queryStringParameters": query,
        "multiValueQueryStringParameters": many_query,
        "pathParameters": dict(parameters) or None,
        "stageVariables": None,
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": api.identifier,
            "authorizer": dict(authorizer) if authorizer is not None else None,
            "domainName": headers.get("host", ""),
            "extendedRequestId": request_id,
            "httpMethod": request.method,
            "identity": {"sourceIp": request.source_ip, "userAgent": headers.get("user-agent")},
            "path": request.path,  # without the stage, as below a custom domain
            "protocol": request.protocol,
            "requestId": request_id,
            "requestTime": datetime.fromtimestamp(now, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "requestTimeEpoch": int(now * 1000),
            "resourceId": resource,
            "resourcePath": resource,
            "stage": api.stage,
        },
        "body": body,
        "isBase64Encoded": encoded,
    }


def authorizer_event(event: Mapping[str, Any], method_arn: str) -> dict[str, Any]:
    """The event of a REQUEST authorizer for the same request: it is shown neither body nor caller."""
    shown = {name: value for name, value in event.items() if name not in ("body", "isBase64Encoded")}
    context = {name: value for name, value in event["requestContext"].items() if name != "authorizer"}
    return {"type": "REQUEST", "methodArn": method_arn, **shown, "requestContext": context}


class MalformedAnswerError(ValueError):
    """The function's answer is not one that a proxy integration understands."""


def proxy_answer(answer: Any) -> tuple[int, Headers, bytes]:
    """Status, headers and body of what a handler returned. Raises MalformedAnswerError."""
    if not isinstance(answer, dict) or "statusCode" not in answer:
        message = "an answer is an object with statusCode, headers and body"
        raise MalformedAnswerError(message)
    headers: Headers = []
    many = answer.get("multiValueHeaders") or {}
    for name, values in many.items():
        headers += [(name.lower().encode(), str(value).encode("latin-1")) for value in values]
    repeated = {name.lower() for name in many}
    for name, value in (answer.get("headers") or {}).items():
        if name.lower() not in repeated:
            headers.append((name.lower().encode(), str(value).encode("latin-1")))
    if not any(name == b"content-type" for name, _ in headers):
        headers.append((b"content-type", b"application/json"))
    body = answer.get("body") or ""
    content = base64.b64decode(body) if answer.get("isBase64Encoded") else str(body).encode()
    return int(answer["statusCode"]), headers, content


def _headers(raw: Headers) -> tuple[dict[str, str], dict[str, list[str]]]:
    last: dict[str, str] = {}
    many: dict[str, list[str]] = {}
    for name_bytes, value_bytes in raw:
        name, value = name_bytes.decode("latin-1"), value_bytes.decode("latin-1")
        last[name] = value
        many.setdefault(name, []).append(value)
    last["x-forwarded-proto"], many["x-forwarded-proto"] = "http", ["http"]
    return last, many


def _query(raw: bytes) -> tuple[dict[str, str] | None, dict[str, list[str]] | None]:
    if not raw:
        return None, None
    many: dict[str, list[str]] = {}
    for name, value in parse_qsl(raw.decode("latin-1"), keep_blank_values=True):
        many.setdefault(name, []).append(value)
    return {name: values[-1] for name, values in many.items()}, many


def _body(raw: bytes) -> tuple[str | None, bool]:
    if not raw:
        return None, False
    try:
        return raw.decode(), False
    except UnicodeDecodeError:
        return base64.b64encode(raw).decode(), True
