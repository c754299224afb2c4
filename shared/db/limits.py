"""Time limits of database access, by who waits for the answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple


class Limits(NamedTuple):
    """Seconds; None leaves the server's default."""

    connect_s: float
    """To connect and sign in."""
    first_answer_s: float
    """To a transaction's first answer, which is to BEGIN: a server that lives gives it at once."""
    statement_s: float | None = None
    lock_s: float | None = None


TASK = Limits(connect_s=10, first_answer_s=30)
"""Of tasks: a statement may take as long as the Lambda runs. The two limits only tell a server that is gone from one
under load."""
REQUEST = Limits(connect_s=5, first_answer_s=5, statement_s=20, lock_s=10)
"""Of the API's functions: API Gateway waits 29 seconds, within which a problem document has to arrive."""
SIGN_IN = Limits(connect_s=2, first_answer_s=1.5, statement_s=3, lock_s=3)
"""Of the pre-token trigger: Cognito waits five seconds, and a connection and a statement have to fit."""

_limits: ContextVar[Limits] = ContextVar("limits", default=TASK)


def limits() -> Limits:
    """The limits that hold now."""
    return _limits.get()


@contextmanager
def limited(limits: Limits) -> Iterator[None]:
    """Apply these limits to the units of work of a block."""
    token = _limits.set(limits)
    try:
        yield
    finally:
        _limits.reset(token)
