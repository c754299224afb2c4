"""Sealing: the events of ended transactions become a link of the county's hash chain.

Events are sealed after they were written, so that no writer waits for another. A seal is a row and, beside it, an
object that the bucket lets nobody replace or delete: the tables' owner can change rows, but not what the object says.
"""

from datetime import UTC, datetime

import orjson
from aws_lambda_powertools import Logger
from sqlalchemy import Connection

from functions.audit.domain.chain import GENESIS, START, DigestedEvent, seal_digest
from functions.audit.repository import seals
from functions.audit.schemas import AuditSeal, Position
from shared import storage
from shared.db import unit_of_work
from shared.db.tenancy import require_onboarded
from shared.problems import ServiceUnavailable
from shared.schemas import Schema

MAX_EVENTS = 10_000
"""Events of a seal. A choice: its object, which is read where a seal does not fit its events, has a megabyte."""
FOLDER = "audit-seals"
_logger = Logger(service="audit")


class RecordedSeal(Schema):
    """The object of a seal: the seal, the digest before it, and each event's."""

    seal: AuditSeal
    previous: str
    events: list[tuple[int, int, str]]

    @property
    def digested_events(self) -> list[DigestedEvent]:
        return [DigestedEvent(*event) for event in self.events]


def seal_all() -> int:
    """Seal the events of every county that has objects; the number of new seals.

    Raises ServiceUnavailable, and RuntimeError at the end where counties could not be sealed: an alarm counts errors.
    """
    made, failed = 0, []
    for county_id in storage.county_ids():
        try:
            made += len(seal(county_id))
        except ServiceUnavailable:
            raise
        except Exception:
            _logger.exception("audit events cannot be sealed", county_id=county_id)
            failed.append(county_id)
    if failed:
        raise RuntimeError(f"the audit events of {len(failed)} counties cannot be sealed")
    return made


def seal(county_id: str) -> list[AuditSeal]:
    """Seal the events of all transactions that have ended; the new seals. Raises ServiceUnavailable."""
    made: list[AuditSeal] = []
    while True:
        with unit_of_work(county_id) as connection:
            seals.lock(connection, county_id)
            added = _add_seal(connection, county_id)
        if added is None:
            return made
        made.append(added)


def seal_now(county_id: str) -> list[AuditSeal]:
    """`seal` by request. Raises NotFound for a county that is not onboarded."""
    with unit_of_work(county_id) as connection:
        require_onboarded(connection, county_id)
    return seal(county_id)


def recorded(county_id: str, seal_no: int) -> list[RecordedSeal]:
    """The objects of the seal of a number: one, but where the database was set back since, and sealed anew."""
    prefix = storage.record_key(county_id, FOLDER, f"{seal_no:010}-")
    return [
        RecordedSeal.model_validate_json(storage.get(prefix + name)) for name, _, _ in storage.listed(prefix, limit=10)
    ]


def _add_seal(connection: Connection, county_id: str) -> AuditSeal | None:
    """Add the next seal; None where there are no events for it. The object comes first: a row has it always."""
    before = seals.last(connection, county_id)
    start = START if before is None else before.end
    number = 1 if before is None else before.seal_no + 1
    previous = GENESIS if before is None else before.digest
    end: Position = (seals.horizon(connection), 0)
    events = seals.events(connection, county_id, start, end, limit=MAX_EVENTS + 1)
    if not events:
        return None
    for earlier in recorded(county_id, number):  # of an attempt that ended before its row was committed
        covered = [event for event in events if event[:2] < earlier.seal.end]
        if len(covered) == earlier.seal.events and seal_digest(previous, covered) == earlier.seal.digest:
            seals.add(connection, county_id, earlier.seal)
            return earlier.seal
    if len(events) > MAX_EVENTS:
        end = events.pop()[:2]
    made = AuditSeal(
        seal_no=number,
        sealed_at=datetime.now(UTC),
        events=len(events),
        digest=seal_digest(previous, events),
        end_transaction_id=end[0],
        end_event_id=end[1],
    )
    body = RecordedSeal(seal=made, previous=previous, events=[tuple(event) for event in events])
    key = storage.record_key(county_id, FOLDER, f"{number:010}-{made.digest}.json")
    storage.put_record(key, orjson.dumps(body.model_dump(mode="json")), "application/json")
    seals.add(connection, county_id, made)
    return made
