"""The gateway's own error responses, as the API's: RFC 9457 problem documents."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from shared.api.headers import SECURITY_HEADERS
from shared.api.problem_status import status_of
from shared.api.problems import PROBLEM_JSON, TYPE_PREFIX
from shared.problems import (
    BadRequest,
    Forbidden,
    NotFound,
    PayloadTooLarge,
    Problem,
    ServiceUnavailable,
    TooManyRequests,
    Unauthorized,
    UnsupportedMediaType,
)

_HEADERS = SECURITY_HEADERS | {"Content-Security-Policy": "default-src; frame-ancestors; sandbox"}
"""A directive without a source allows none. API Gateway encloses a static value in quotes, so none are within it."""

CHALLENGE = 'Bearer, Basic realm="TerraFusion", charset="UTF-8"'
"""Answered by the gateway itself: of what a function answers it renames `WWW-Authenticate`. People's tools wait for the
challenge before they send a name and a password."""


class _GatewayTimeout(Problem):
    slug, title = "timeout", "The answer took too long"


@dataclass(frozen=True)
class _ErrorResponse:
    response: str
    problem: type[Problem]
    detail: str
    slug: str = ""
    status: HTTPStatus | None = None
    """That of the problem, unless another is given."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Beside those of every response."""


# For the two defaults the gateway keeps the status of whichever error falls back to them.
_ERROR_RESPONSES = (
    _ErrorResponse(
        "UNAUTHORIZED",
        Unauthorized,
        "Send a valid access token or, where something is only read, a key that has not expired.",
        headers={"WWW-Authenticate": CHALLENGE},
    ),
    _ErrorResponse(
        "ACCESS_DENIED",
        Forbidden,
        "Neither your roles nor your key has the permission of this route.",
        "permission-missing",
    ),
    _ErrorResponse(
        "AUTHORIZER_FAILURE",
        ServiceUnavailable,
        "Who you are cannot be found out at the moment. Try again in a few seconds.",
        headers={"Retry-After": str(ServiceUnavailable.retry_after)},
    ),
    _ErrorResponse("MISSING_AUTHENTICATION_TOKEN", NotFound, "This is not part of this API.", "route-not-found"),
    _ErrorResponse("RESOURCE_NOT_FOUND", NotFound, "This is not part of this API.", "route-not-found"),
    _ErrorResponse("REQUEST_TOO_LARGE", PayloadTooLarge, "A request holds at most 10 MB: larger files are uploads."),
    _ErrorResponse("UNSUPPORTED_MEDIA_TYPE", UnsupportedMediaType, "Send application/json."),
    _ErrorResponse("THROTTLED", TooManyRequests, "Try again in a few seconds."),
    _ErrorResponse("QUOTA_EXCEEDED", TooManyRequests, "Try again later."),
    _ErrorResponse("WAF_FILTERED", Forbidden, "The firewall refused the request.", "firewall"),
    _ErrorResponse(
        "INTEGRATION_TIMEOUT",
        _GatewayTimeout,
        "Long work is a job: see the routes that answer 202.",
        status=HTTPStatus.GATEWAY_TIMEOUT,
    ),
    _ErrorResponse("DEFAULT_4XX", BadRequest, "The gateway refused the request."),
    _ErrorResponse("DEFAULT_5XX", Problem, "The failure is logged under the request id."),
)


def gateway_responses() -> dict[str, dict[str, Any]]:
    """The error responses by type, as `x-amazon-apigateway-gateway-responses` takes them."""
    return {error.response: _gateway_response(error) for error in _ERROR_RESPONSES}


def _gateway_response(error: _ErrorResponse) -> dict[str, Any]:
    status = str(int(error.status or status_of(error.problem)))
    document = {
        "type": TYPE_PREFIX + (error.slug or error.problem.slug),
        "title": error.problem.title,
        "status": int(status),
        "detail": error.detail,
        "request_id": "$context.requestId",
    }
    headers = {"Content-Type": PROBLEM_JSON} | _HEADERS | dict(error.headers)
    response: dict[str, Any] = {
        "responseParameters": {f"gatewayresponse.header.{name}": f"'{value}'" for name, value in headers.items()},
    }
    if error.response.startswith("DEFAULT_"):
        # Its status varies, and a wrong one in the document is worse than none (the member is optional).
        del document["status"]
    else:
        response["statusCode"] = status
    return response | {"responseTemplates": {"application/json": json.dumps(document)}}
