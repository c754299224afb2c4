"""Responses in the platform's conventions."""

import base64
from typing import Any, TypeVar

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import Response

from shared.jobs.schemas import Job

JSON = "application/json"
Body = TypeVar("Body")

_logger = Logger(service="jobs")


def entity_tag(version: int) -> str:
    """The strong ETag of a resource's version (RFC 9110, 8.8.3)."""
    return f'"{version}"'


def answer(body: Body, status: int = 200, *, version: int | None = None, location: str | None = None) -> Response[Body]:
    """A JSON answer, with the resource's ETag and Location where they are known."""
    headers: dict[str, str | list[str]] = {}
    if version is not None:
        headers["ETag"] = entity_tag(version)
    if location is not None:
        headers["Location"] = location
    return Response(status, JSON, body, headers)


def accepted(job: Job) -> Response[Job]:
    """202 for a long task: the job, and where to look for it. The log line ties the request to the job's own lines."""
    _logger.info("job accepted", job_id=str(job.id), kind=job.kind)
    return answer(job, 202, location=job.links["self"])


def binary_answer(content: bytes, media_type: str) -> Response[Any]:
    """An answer of bytes: encoded here, because Powertools makes a text of a route's body first."""
    response: Response[Any] = Response(200, media_type, base64.b64encode(content).decode())
    response.base64_encoded = True
    return response


def no_content() -> Response[None]:
    """204."""
    return Response(204)


def see_other(location: str) -> Response[Any]:
    """303 to an address from which the caller takes the thing itself."""
    return Response(303, headers={"Location": location, "Cache-Control": "no-store"})
