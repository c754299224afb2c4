"""The list of jobs, and what is known here of each kind."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import TypeAdapter

from shared.access import Permission
from shared.jobs import JobStatus
from shared.schemas import Schema

_KINDS = Path(__file__).with_name("kinds.json")
"""Derived from every module's job kinds by `python -m infra.openapi`: a function carries its own module only."""


class ListedKind(Schema):
    """A kind of job: the collection of its jobs, what they link to, and the permission to see them."""

    collection: str
    linked: tuple[str, ...]
    view: Permission


KINDS = TypeAdapter(dict[str, ListedKind]).validate_json(_KINDS.read_text())
"""By name."""

if TYPE_CHECKING:
    KnownKind = str
else:
    KnownKind = Literal[tuple(KINDS)]


class JobFilter(Schema):
    """Filter of the list of jobs; all conditions given must hold. `submitted_by` is a user's name."""

    kind: str | None = None
    status: JobStatus | None = None
    submitted_by: str | None = None
    since: datetime | None = None
