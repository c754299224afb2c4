"""What can be wrong with a request or a task, in domain words.

A service raises these; only the edge (`shared.api`, `shared.jobs`) turns them into HTTP or a failed job. Each
carries a slug (the problem's stable name), a detail for a person, and, where the input is at fault, the place.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Fault:
    """One thing wrong with the input. `pointer` is a JSON pointer into it (RFC 6901); `line` for text documents."""

    pointer: str
    detail: str
    rule: str = ""
    line: int | None = None


class Problem(Exception):  # noqa: N818 - the field's term (RFC 9457) for what went wrong
    """The root of all of them; `status` is what HTTP calls it."""

    status = 500
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
    status, slug, title = 400, "bad-request", "The request cannot be read"


class Unauthorized(Problem):
    status, slug, title = 401, "unauthorized", "Signing in failed"


class Forbidden(Problem):
    status, slug, title = 403, "forbidden", "You may not do this"


class NotFound(Problem):
    status, slug, title = 404, "not-found", "There is no such thing"


class Conflict(Problem):
    status, slug, title = 409, "conflict", "This does not go with the present state"


class Gone(Problem):
    status, slug, title = 410, "gone", "What was made is not there any more"


class PreconditionFailed(Problem):
    status, slug, title = 412, "precondition-failed", "The resource has changed since you read it"


class PayloadTooLarge(Problem):
    status, slug, title = 413, "payload-too-large", "The request is too large"


class UnsupportedMediaType(Problem):
    status, slug, title = 415, "unsupported-media-type", "The body is of a type this does not take"


class Unprocessable(Problem):
    status, slug, title = 422, "validation", "The request is not valid"

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


class PreconditionRequired(Problem):
    status, slug, title = 428, "precondition-required", "Say which version you change (If-Match)"


class TooManyRequests(Problem):
    status, slug, title = 429, "too-many-requests", "Too many requests"
    retry_after = 60


class SourceUnavailable(Problem):
    """A system of the county's could not be reached or refused us."""

    status, slug, title = 502, "source-unavailable", "The county's source cannot be read"


class SourceRefused(SourceUnavailable):
    """What a county's source is, or says, that asking again will not change."""

    slug = "source-refused"


class SourceTimeout(SourceUnavailable):
    """A system of the county's that did not answer in time; a later try may succeed."""

    status, slug, title = 504, "source-timeout", "The county's source does not answer"


class ServiceUnavailable(Problem):
    """Something of ours is away for now: a request is sent again, a task is tried again by its state machine."""

    status, slug, title = 503, "service-unavailable", "Try again in a moment"
    retry_after = 5


_REQUEST_PARTS = ("/body/", "/query/", "/path/", "/header/")


@contextmanager
def faults_below(place: str) -> Iterator[None]:
    """Put `place` before the pointers of faults that point into an argument, which the caller took from there.

    Faults that name their part of the request already (an Idempotency-Key's) stay as they are.
    """
    try:
        yield
    except Problem as problem:
        problem.faults = tuple(
            fault if fault.pointer.startswith(_REQUEST_PARTS) else replace(fault, pointer=place + fault.pointer)
            for fault in problem.faults
        )
        raise


_NAMED = re.compile(r"([a-z][a-z0-9-]*): (.*)", re.DOTALL)


def named(problem: Problem) -> Problem:
    """The problem with its slug in the message, which is all that a state machine passes on beside the class."""
    problem.args = (f"{problem.slug}: {problem.detail}",)
    return problem


def read_message(message: str) -> tuple[str | None, str]:
    """Slug and detail of a problem's message; no slug where it is not a `named` one's."""
    found = _NAMED.fullmatch(message)
    return (found[1], found[2]) if found else (None, message)
