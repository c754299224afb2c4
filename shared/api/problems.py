"""Problems as RFC 9457 documents."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, TypeVar

import orjson
from aws_lambda_powertools.event_handler import Response
from pydantic import BaseModel, ValidationError

from shared.api.problem_status import status_of
from shared.problems import BadRequest, Fault, Problem, Unprocessable, faults_below
from shared.validation_messages import error_text

Model = TypeVar("Model", bound=BaseModel)

PROBLEM_JSON = "application/problem+json"
TYPE_PREFIX = "urn:terrafusion:problem:"
MAX_FAULTS = 100
"""A choice: nobody mends more at once, and a mapping of half a megabyte can have tens of thousands."""
MAX_SHOWN = 500
"""Characters of a request's content that a message or a pointer repeats. A choice: some lines of a terminal."""


def problem_response(problem: Problem, request_id: str) -> Response[str]:
    """The answer that tells a caller about a problem."""
    status = status_of(type(problem))
    document: dict[str, Any] = {
        "type": TYPE_PREFIX + problem.slug,
        "title": problem.title,
        "status": status,
        "detail": shortened(problem.detail, 2 * MAX_SHOWN),
        "request_id": request_id,
    }
    if problem.faults:
        document["errors"] = [_fault(fault) for fault in problem.faults[:MAX_FAULTS]]
        if len(problem.faults) > MAX_FAULTS:
            document["errors_total"] = len(problem.faults)
    headers: dict[str, str | list[str]] = {}
    if problem.retry_after is not None:
        headers["Retry-After"] = str(problem.retry_after)
    return Response(status, PROBLEM_JSON, orjson.dumps(document).decode(), headers)


def validation_problem(errors: Sequence[Any]) -> Problem:
    """Pydantic's errors of a request as one problem that lists every fault."""
    if any(error.get("type") == "json_invalid" for error in errors):
        position = errors[0]["loc"][-1]
        reason = errors[0].get("ctx", {}).get("error", "not JSON")
        return BadRequest(f"The body is not JSON: {reason} (at character {position}).", slug="malformed-json")
    faults = tuple(Fault(_pointer(e["loc"]), error_text(e), e["type"]) for e in errors)
    return Unprocessable(f"{len(faults)} part(s) of the request are not valid; see errors.", faults=faults)


def from_query(model: type[Model], **values: Any) -> Model:
    """A model of several query parameters. Raises Unprocessable, naming them, where its limits are not theirs."""
    try:
        return model(**values)
    except ValidationError as error:
        raise validation_problem([{**fault, "loc": ("query", *fault["loc"])} for fault in error.errors()]) from error


def faults_in_body() -> AbstractContextManager[None]:
    """Place a service's faults, which point into its own arguments, in the request's body that these came from."""
    return faults_below("/body")


def shortened(text: str, limit: int = MAX_SHOWN) -> str:
    """A foreign text, truncated, and encodable in UTF-8."""
    shown = text if len(text) <= limit else f"{text[:limit]}…"
    return shown.encode(errors="replace").decode()


def _fault(fault: Fault) -> dict[str, Any]:
    document: dict[str, Any] = {"pointer": shortened(fault.pointer), "detail": shortened(fault.detail, 2 * MAX_SHOWN)}
    if fault.rule:
        document["rule"] = fault.rule
    if fault.line is not None:
        document["line"] = fault.line
    return document


def _pointer(location: Iterable[str | int]) -> str:
    """A JSON pointer (RFC 6901) below `/body`, `/query`, `/path` or `/header`."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in location)
