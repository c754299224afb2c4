"""Gateway responses: answers of the gateway itself, from the template or as problem documents of its own."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from infra.local.rest_api import GatewayAnswer

_PROBLEM = "application/problem+json"


@dataclass(frozen=True)
class ResponseType:
    """A type of gateway response, by API Gateway's name for it."""

    type: str
    status: int
    title: str


UNAUTHORIZED = ResponseType("UNAUTHORIZED", 401, "Unauthorized")
AUTHORIZER_FAILED = ResponseType("AUTHORIZER_FAILURE", 500, "The authorizer failed")
ACCESS_DENIED = ResponseType("ACCESS_DENIED", 403, "Forbidden")
UNKNOWN_ROUTE = ResponseType("MISSING_AUTHENTICATION_TOKEN", 404, "Not found")
TOO_LARGE = ResponseType("REQUEST_TOO_LARGE", 413, "Request too large")
HEADERS_TOO_LARGE = ResponseType("DEFAULT_4XX", 431, "Request line and headers too large")
TIMEOUT = ResponseType("INTEGRATION_TIMEOUT", 504, "The function took too long")
FAILED = ResponseType("INTEGRATION_FAILURE", 502, "The function failed")


@dataclass(frozen=True)
class Rendered:
    """An answer, ready to send."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class GatewayResponses:
    """Renders gateway responses. `$context.requestId` and the error's message are filled in."""

    def __init__(self, answers: Mapping[str, GatewayAnswer]) -> None:
        self._answers = answers

    def render(self, refusal: ResponseType, request_id: str) -> Rendered:
        """The template's answer for this type, else for its class of status, else our own."""
        default = "DEFAULT_4XX" if refusal.status < 500 else "DEFAULT_5XX"
        answer = self._answers.get(refusal.type) or self._answers.get(default)
        if answer is None or not answer.body:
            return _own(refusal, request_id)
        body = answer.body.replace("$context.requestId", request_id)
        body = body.replace("$context.error.messageString", json.dumps(refusal.title))
        headers = {"content-type": "application/json"}
        headers |= {name.lower(): value for name, value in answer.headers.items()}
        return Rendered(answer.status or refusal.status, headers, body.encode())


def _own(refusal: ResponseType, request_id: str) -> Rendered:
    document = {
        "type": "about:blank",
        "title": refusal.title,
        "status": refusal.status,
        "request_id": request_id,
    }
    return Rendered(refusal.status, {"content-type": _PROBLEM}, json.dumps(document).encode())
