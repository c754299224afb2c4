"""Reasons why a command ends without having done its work, each a sentence for the person at the keyboard."""

from collections.abc import Mapping
from typing import Any


class CommandError(RuntimeError):
    """What ends a command with exit code 1; the message says why, and what to do."""


class LocalCloudError(CommandError):
    """The local cloud cannot start or go on."""


class ApiUnreachableError(CommandError):
    """Nothing answers at the API's address."""


class ApiError(CommandError):
    """The API answered with a problem (RFC 9457)."""

    def __init__(self, status: int, problem: Mapping[str, Any], request_id: str | None = None) -> None:
        self.status = status
        self.problem = dict(problem)
        faults = [f"\n  {fault['pointer']}: {fault['detail']}" for fault in problem.get("errors", [])]
        request = f"\nThe request is {request_id}." if status >= 500 and request_id else ""
        super().__init__(f"{status} {problem.get('title', '')}: {problem.get('detail', '')}{''.join(faults)}{request}")


class JobFailedError(CommandError):
    """A job ended otherwise than it should."""

    def __init__(self, job: Mapping[str, Any]) -> None:
        self.job = dict(job)
        error = job.get("error") or {}
        super().__init__(f"{job['kind']} {job['id']} is {job['status']}: {error.get('detail', 'no reason given')}")
