"""Problems: the errors of a request or a task, in words of the domain.

A service raises these; only the edge (`shared.api`, `shared.jobs`) turns them into HTTP or a failed job. Each
has a slug (the problem's stable name), a detail for a person, and, where the input is at fault, a pointer to it.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Fault:
    """A fault of the input. `pointer` is a JSON pointer into it (RFC 6901); `line` for text documents."""

    pointer: str
    detail: str
    rule: str = ""
    line: int | None = None


class Problem(Exception):  # noqa: N818 - the field's term (RFC 9457) for what went wrong
    """The root of all problems."""

    slug = "internal-error"
    title = "Something went wrong on our side"
    retry_after: int | None = None
    """Seconds after which trying again may help."""

    def __init__(self, detail: str, *, slug: str | None = None, faults: tuple[Fault, ...] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.faults = faults
        if slug is not None:
            self.slug = slug


class BadRequest(Problem):
    slug, title = "bad-request", "The request cannot be read"


class Unauthorized(Problem):
    slug, title = "unauthorized", "Signing in failed"


class Forbidden(Problem):
    slug, title = "forbidden", "You may not do this"


class NotFound(Problem):
    slug, title = "not-found", "There is no such thing"


class Conflict(Problem):
    slug, title = "conflict", "This does not go with the present state"


class Gone(Problem):
    slug, title = "gone", "What was made is not there any more"


class PreconditionFailed(Problem):
    slug, title = "precondition-failed", "The resource has changed since you read it"


class PayloadTooLarge(Problem):
    slug, title = "payload-too-large", "The request is too large"


class UnsupportedMediaType(Problem):
    slug, title = "unsupported-media-type", "The body is of a type this does not take"


class Unprocessable(Problem):
    slug, title = "validation", "The request is not valid"

    def __init__(
        self,
        detail: str,
        *,
        pointer: str | None = None,
        slug: str | None = None,
        faults: tuple[Fault, ...] = (),
    ) -> None:
        super().__init__(
            detail,
            slug=slug,
            faults=(Fault(pointer, detail),) if pointer is not None and not faults else faults,
        )


class NotAcceptable(Problem):
    slug, title = "not-acceptable", "It is not to be had in a format that you accept"


class PreconditionRequired(Problem):
    slug, title = "precondition-required", "Say which version you change (If-Match)"


class TooManyRequests(Problem):
    slug, title = "too-many-requests", "Too many requests"
    retry_after = 60


class CountyRateLimited(TooManyRequests):
    """A county asks for more than its share: of requests a second, or of jobs at a time."""

    slug = "county-rate-limited"
    retry_after = 1


class KeyRateLimited(TooManyRequests):
    """More requests a second with one access key than are let through."""

    slug = "key-rate-limited"
    retry_after = 1


class SourceUnavailable(Problem):
    """A system of the county's could not be reached or refused us."""

    slug, title = "source-unavailable", "The county's source cannot be read"


class SourceRefused(SourceUnavailable):
    """A refusal of a county's source that asking again will not change."""

    slug = "source-refused"


class SourceTimeout(SourceUnavailable):
    """A system of the county's that did not answer in time; a later attempt may succeed."""

    slug, title = "source-timeout", "The county's source does not answer"


class ServiceUnavailable(Problem):
    """A part of the platform is away for now: a request is sent again, a task is retried by its state machine."""

    slug, title = "service-unavailable", "Try again in a moment"
    retry_after = 5


_REQUEST_PARTS = ("/body/", "/query/", "/path/", "/header/")


@contextmanager
def faults_below(pointer: str) -> Iterator[None]:
    """Put `pointer` before the pointers of faults that point into an argument, which the caller took from there.

    Faults that name their part of the request already (an Idempotency-Key's) stay as they are.
    """
    try:
        yield
    except Problem as problem:
        problem.faults = tuple(
            fault if fault.pointer.startswith(_REQUEST_PARTS) else replace(fault, pointer=pointer + fault.pointer)
            for fault in problem.faults
        )
        raise


_NAMED = re.compile(r"([a-z][a-z0-9-]*): (.*)", re.DOTALL)


def named(problem: Problem) -> Problem:
    """The problem with its slug in the message: a state machine passes on the message and the class, nothing else."""
    problem.args = (f"{problem.slug}: {problem.detail}",)
    return problem


def read_message(message: str) -> tuple[str | None, str]:
    """Slug and detail of a problem's message; no slug where it is not a `named` one's."""
    match = _NAMED.fullmatch(message)
    return (match[1], match[2]) if match else (None, message)
