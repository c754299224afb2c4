"""What the gateway itself refuses, in the words of the API: RFC 9457 problem documents."""

import json
from dataclasses import dataclass

from aws_cdk.aws_apigateway import ResponseType, RestApi

from shared.api.headers import SECURITY_HEADERS
from shared.api.problems import PROBLEM_JSON, TYPE_PREFIX
from shared.problems import (
    BadRequest,
    Forbidden,
    NotFound,
    PayloadTooLarge,
    Problem,
    TooManyRequests,
    Unauthorized,
    UnsupportedMediaType,
)

_HEADERS = SECURITY_HEADERS | {"Content-Security-Policy": "default-src; frame-ancestors; sandbox"}
"""A directive without a source allows none. API Gateway encloses a static value in quotes, so none are within it."""


class _GatewayTimeout(Problem):
    status, slug, title = 504, "timeout", "The answer took too long"


@dataclass(frozen=True)
class _Refusal:
    response: str
    problem: type[Problem]
    detail: str
    slug: str = ""


# For the two defaults the gateway keeps the status of whichever refusal falls back to them.
_REFUSALS = (
    _Refusal("UNAUTHORIZED", Unauthorized, "Send a valid access token that has the scope of this route."),
    _Refusal("ACCESS_DENIED", Forbidden, "None of your roles has the permission of this route.", "permission-missing"),
    _Refusal("MISSING_AUTHENTICATION_TOKEN", NotFound, "This is not part of this API.", "route-not-found"),
    _Refusal("RESOURCE_NOT_FOUND", NotFound, "This is not part of this API.", "route-not-found"),
    _Refusal("REQUEST_TOO_LARGE", PayloadTooLarge, "A request holds at most 10 MB: larger files are uploads."),
    _Refusal("UNSUPPORTED_MEDIA_TYPE", UnsupportedMediaType, "Send application/json."),
    _Refusal("THROTTLED", TooManyRequests, "Try again in a few seconds."),
    _Refusal("QUOTA_EXCEEDED", TooManyRequests, "Try again later."),
    _Refusal("WAF_FILTERED", Forbidden, "The firewall refused the request.", "firewall"),
    _Refusal("INTEGRATION_TIMEOUT", _GatewayTimeout, "Long work is a job: see the routes that answer 202."),
    _Refusal("DEFAULT_4XX", BadRequest, "The gateway refused the request."),
    _Refusal("DEFAULT_5XX", Problem, "The failure is logged under the request id."),
)


def add_gateway_problems(api: RestApi) -> None:
    """Give each of the gateway's own answers the form of the others."""
    for refusal in _REFUSALS:
        default = refusal.response.startswith("DEFAULT_")
        document = {
            "type": TYPE_PREFIX + (refusal.slug or refusal.problem.slug),
            "title": refusal.problem.title,
            "status": refusal.problem.status,
            "detail": refusal.detail,
            "request_id": "$context.requestId",
        }
        if default:
            # Its status varies, and a wrong one in the document is worse than none (the member is optional).
            del document["status"]
        api.add_gateway_response(
            "".join(word.title() for word in refusal.response.split("_")),
            type=ResponseType.of(refusal.response),
            status_code=None if default else str(refusal.problem.status),
            response_headers={
                name: f"'{value}'" for name, value in ({"Content-Type": PROBLEM_JSON} | _HEADERS).items()
            },
            templates={"application/json": json.dumps(document)},
        )
