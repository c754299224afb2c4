"""What the gateway answers by itself: the template's gateway responses, or problem documents of its own."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from infra.local.template import GatewayAnswer

_PROBLEM = "application/problem+json"


@dataclass(frozen=True)
class Refusal:
    """A kind of refusal, under the name that the template's gateway responses use."""

    type: str
    status: int
    title: str


UNAUTHORIZED = Refusal("UNAUTHORIZED", 401, "Unauthorized")
ACCESS_DENIED = Refusal("ACCESS_DENIED", 403, "Forbidden")
UNKNOWN_ROUTE = Refusal("MISSING_AUTHENTICATION_TOKEN", 404, "Not found")
TOO_LARGE = Refusal("REQUEST_TOO_LARGE", 413, "Request too large")
TIMEOUT = Refusal("INTEGRATION_TIMEOUT", 504, "The function took too long")
FAILED = Refusal("INTEGRATION_FAILURE", 502, "The function failed")


@dataclass(frozen=True)
class Rendered:
    """An answer, ready to send."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Refusals:
    """Renders refusals. `$context.requestId` and the error's message are filled in."""

    def __init__(self, answers: Mapping[str, GatewayAnswer]) -> None:
        self._answers = answers

    def render(self, refusal: Refusal, request_id: str) -> Rendered:
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


def _own(refusal: Refusal, request_id: str) -> Rendered:
    document = {
        "type": "about:blank",
        "title": refusal.title,
        "status": refusal.status,
        "request_id": request_id,
    }
    return Rendered(refusal.status, {"content-type": _PROBLEM}, json.dumps(document).encode())
