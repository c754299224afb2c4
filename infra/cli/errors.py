"""Errors that end a command, each a sentence for the person at the keyboard."""

from collections.abc import Mapping
from typing import Any


class CommandError(RuntimeError):
    """A command that ends with exit code 1; the message says why, and what to do."""


class ApiUnreachableError(CommandError):
    """Nothing answers at the API's address."""


class ApiError(CommandError):
    """A problem document (RFC 9457) that the API answered with."""

    def __init__(self, status: int, problem: Mapping[str, Any], request_id: str | None = None) -> None:
        self.status = status
        self.problem = dict(problem)
        errors = [f"\n  {error['pointer']}: {error['detail']}" for error in problem.get("errors", [])]
        request = f"\nThe request is {request_id}." if status >= 500 and request_id else ""
        super().__init__(f"{status} {problem.get('title', '')}: {problem.get('detail', '')}{''.join(errors)}{request}")


class JobFailedError(CommandError):
    """A job that ended as failed."""

    def __init__(self, job: Mapping[str, Any]) -> None:
        self.job = dict(job)
        error = job.get("error") or {}
        super().__init__(f"{job['kind']} {job['id']} is {job['status']}: {error.get('detail', 'no reason given')}")
