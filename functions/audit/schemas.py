"""Audit events as an auditor reads them."""

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from shared.schemas import Schema

_ACTIONS = Path(__file__).with_name("actions.json")
"""Derived from `shared.audit` and every module's job kinds by `python -m infra.openapi`: a function carries its own
module only.
"""

if TYPE_CHECKING:
    KnownAction = str
else:
    KnownAction = Literal[tuple(json.loads(_ACTIONS.read_text()))]


class AuditEvent(Schema):
    """Who did what to which thing, when, and from where.

    `old` and `new` have the changed fields before and after. `address` is the caller's IP address, null where a task of
    the platform did it; `request_id` is the id of the request that it began with.
    """

    event_id: int
    occurred_at: datetime
    actor: str
    action: str
    subject: str
    details: dict[str, Any]
    old: dict[str, Any] | None
    new: dict[str, Any] | None
    address: str | None
    request_id: str | None


Position = tuple[int, int]
"""A place in the order of events: transaction_id, event_id."""


class AuditSeal(Schema):
    """A link of a county's hash chain over its audit events: how many it covers, up to which place, and their digest.

    Events are ordered by their transaction and their id; the place itself belongs to the next seal.
    """

    seal_no: int
    sealed_at: datetime
    events: int
    digest: str
    end_transaction_id: int
    end_event_id: int

    @property
    def end(self) -> Position:
        """The place before which the events are the seal's."""
        return self.end_transaction_id, self.end_event_id


FindingKind = Literal[
    "event_changed",
    "event_deleted",
    "event_added",
    "event_reordered",
    "seal_replaced",
    "seal_missing",
    "record_missing",
]


class Finding(Schema):
    """Something that is not as it was sealed."""

    kind: FindingKind
    event_id: int | None
    detail: str


class SealVerdict(Schema):
    """A seal held against the events of now and against its object in the bucket."""

    seal_no: int
    sealed_at: datetime
    events: int
    digest: str
    intact: bool
    findings: list[Finding]
