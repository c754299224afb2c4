"""How a task of the sync machine says that trying again may help."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from shared.observability import lambda_entry
from shared.problems import Problem, SourceRefused, SourceUnavailable, named

Task = Callable[[dict[str, Any], Any], dict[str, Any]]


class RetryableError(SourceUnavailable):
    """The source went away while it was read; the state machine tries again."""


def machine_task(work: Task) -> Task:
    """Tell the state machine where trying again may help, and what a problem is called."""

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
