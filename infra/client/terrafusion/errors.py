"""Exceptions of the client: problems that the API answers with, and what keeps an answer from coming."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PROBLEM_TYPE = "urn:terrafusion:problem:"


class TerraFusionError(Exception):
    """The base of all exceptions of this package; the message is a sentence for a person."""


class UnreachableError(TerraFusionError):
    """Nothing answers at an address, or not in time."""


class DownloadError(TerraFusionError):
    """A file that cannot be fetched from, or sent to, its signed address."""


class JobFailedError(TerraFusionError):
    """A job that ended as failed; `job` is its last state, with the reason in `error`."""

    def __init__(self, job: Mapping[str, Any]) -> None:
        self.job = dict(job)
        error = job.get("error") or {}
        super().__init__(f"{job['kind']} {job['id']} is {job['status']}: {error.get('detail', 'no reason given')}")


class WaitTimeoutError(TerraFusionError):
    """A job that did not end in the time it was waited for; it goes on. `job` is its last state."""

    def __init__(self, job: Mapping[str, Any], seconds: float) -> None:
        self.job = dict(job)
        super().__init__(f"{job['kind']} {job['id']} is still {job['status']} after {seconds:g} seconds")


class NewPasswordRequiredError(TerraFusionError):
    """A first sign-in: the user has to set a password of his own (`new_password` of the client)."""

    def __init__(self, username: str) -> None:
        self.username = username
        super().__init__(f"{username} has to set a new password: sign in with new_password=")


@dataclass(frozen=True)
class Fault:
    """A fault of a request: the JSON pointer to its place, and the reason."""

    pointer: str
    detail: str
    rule: str | None = None
    line: int | None = None


class ProblemError(TerraFusionError):
    """A problem document (RFC 9457) that the API answered with."""

    def __init__(self, status: int, problem: Mapping[str, Any], request_id: str | None = None) -> None:
        self.status = status
        self.problem = dict(problem)
        self.slug = str(problem.get("type", "")).removeprefix(PROBLEM_TYPE)
        """The problem's name: `sync-already-running`."""
        self.title = str(problem.get("title", ""))
        self.detail = str(problem.get("detail", ""))
        self.request_id = problem.get("request_id") or request_id
        self.faults = tuple(
            Fault(str(error["pointer"]), str(error["detail"]), error.get("rule"), error.get("line"))
            for error in problem.get("errors", ())
        )
        faults = "".join(f"\n  {fault.pointer}: {fault.detail}" for fault in self.faults)
        request = f"\nThe request is {self.request_id}." if status >= 500 and self.request_id else ""
        super().__init__(f"{status} {self.title}: {self.detail}{faults}{request}")


class InvalidRequestError(ProblemError):
    """400, 406, 413, 415, 422: the request has faults; `faults` names their places."""


class NotSignedInError(ProblemError):
    """401: no token or key, or one that is not accepted."""


class ForbiddenError(ProblemError):
    """403: signed in, without the permission or the county."""


class NotFoundError(ProblemError):
    """404: there is no such resource for this caller."""


class ConflictError(ProblemError):
    """409: the state of the resource does not allow it."""


class StaleResourceError(ProblemError):
    """412, 428: the resource has changed since it was read, or the request did not say which version it changes."""


class TooManyRequestsError(ProblemError):
    """429: too many requests, also after the client's own attempts."""


class ServerError(ProblemError):
    """5xx: the API failed, or is not available."""


_BY_STATUS: dict[int, type[ProblemError]] = {
    **dict.fromkeys((400, 406, 413, 415, 422), InvalidRequestError),
    401: NotSignedInError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    412: StaleResourceError,
    428: StaleResourceError,
    429: TooManyRequestsError,
}


def problem_error(status: int, problem: Mapping[str, Any], request_id: str | None) -> ProblemError:
    """The exception of a problem document, by its status."""
    kind = ServerError if status >= 500 else _BY_STATUS.get(status, ProblemError)
    return kind(status, problem, request_id)
