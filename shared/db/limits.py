"""Time limits on what the database is asked, by who waits for the answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple


class Limits(NamedTuple):
    """Seconds; None is no limit of ours."""

    connect_s: float
    """To connect and sign in."""
    first_answer_s: float
    """To a transaction's first answer, which is to BEGIN: a server that lives gives it at once."""
    statement_s: float | None = None
    lock_s: float | None = None


UNATTENDED = Limits(connect_s=10, first_answer_s=30)
"""Of tasks: one of their statements may take as long as their Lambda has."""
REQUEST = Limits(connect_s=5, first_answer_s=5, statement_s=20, lock_s=10)
"""Of the API's functions: API Gateway waits 29 seconds, and a problem document is to arrive before that."""
SIGN_IN = Limits(connect_s=2, first_answer_s=1.5, statement_s=3, lock_s=3)
"""Of the pre-token trigger: Cognito waits five seconds."""

_limits: ContextVar[Limits] = ContextVar("limits", default=UNATTENDED)


def limits() -> Limits:
    """The limits that hold now."""
    return _limits.get()


@contextmanager
def limited(wanted: Limits) -> Iterator[None]:
    """Hold what is asked of the database to these limits."""
    token = _limits.set(wanted)
    try:
        yield
    finally:
        _limits.reset(token)
