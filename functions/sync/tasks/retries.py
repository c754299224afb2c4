"""Errors of the sync machine's tasks, marked for its Retry where another attempt may help."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from shared.observability import lambda_entry
from shared.problems import Problem, SourceRefused, SourceUnavailable, named

Task = Callable[[dict[str, Any], Any], dict[str, Any]]


class RetryableError(SourceUnavailable):
    """The source became unavailable while it was read; the state machine retries."""


def machine_task(work: Task) -> Task:
    """Raise RetryableError where another attempt may help, and name problems by their slug."""

    @lambda_entry
    @wraps(work)
    def task(event: dict[str, Any], context: Any) -> dict[str, Any]:
        try:
            return work(event, context)
        except SourceUnavailable as error:
            if isinstance(error, (SourceRefused, RetryableError)):
                named(error)
                raise
            raise named(RetryableError(error.detail, slug=error.slug)) from error
        except Problem as error:
            named(error)
            raise

    return task
