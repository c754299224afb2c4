"""Verification: every seal against the events of now, and against its object in the bucket."""

from collections.abc import Sequence

from sqlalchemy import Connection

from functions.audit.domain.chain import GENESIS, START, DigestedEvent, compare, seal_digest
from functions.audit.repository import seals
from functions.audit.schemas import AuditSeal, Finding, Position, SealVerdict
from functions.audit.service.seals import FOLDER, RecordedSeal, recorded
from shared import storage
from shared.db import snapshot
from shared.db.tenancy import require_onboarded
from shared.paging import Page, decode_token, encode_token

MAX_EVENTS = 100_000
"""Events of the seals of a page. A choice: a page takes two seconds (benchmark `audit_chain`), of the gateway's 29."""
MAX_FINDINGS = 100
"""Findings that are shown of a seal: somebody looks at the table itself then."""


def list_seals(county_id: str, *, page_size: int, page_token: str | None) -> Page[AuditSeal]:
    """A page of the seals in their order. Raises NotFound for a county that is not onboarded."""
    query = ["audit-seals", county_id]
    after = decode_token(query, page_token, int)
    with snapshot(county_id) as connection:
        require_onboarded(connection, county_id)
        rows = seals.after(connection, county_id, after[0] if after else 0, page_size + 1)
    items = rows[:page_size]
    more = len(rows) > page_size
    return Page(items=items, next_page_token=encode_token(query, [str(items[-1].seal_no)]) if more else None)


def verify(county_id: str, *, page_size: int, page_token: str | None) -> Page[SealVerdict]:
    """A page of verdicts on seals, in their order; after the last come seals that only the bucket knows.

    Raises NotFound for a county that is not onboarded, ServiceUnavailable.
    """
    query = ["audit-verification", county_id]
    after = decode_token(query, page_token, int)
    last_no = after[0] if after else 0
    with snapshot(county_id) as connection:
        require_onboarded(connection, county_id)
        before = seals.find(connection, county_id, last_no)
        rows = seals.after(connection, county_id, last_no, page_size + 1)
        chosen = _within_limit(rows[:page_size])
        verdicts = _verdicts(connection, county_id, before, chosen)
    if len(chosen) < len(rows):
        return Page(items=verdicts, next_page_token=encode_token(query, [str(chosen[-1].seal_no)]))
    return Page(items=[*verdicts, *_removed_at_end(county_id, chosen[-1].seal_no if chosen else last_no)])


def _within_limit(rows: Sequence[AuditSeal]) -> list[AuditSeal]:
    chosen: list[AuditSeal] = []
    events = 0
    for row in rows:
        events += row.events
        if chosen and events > MAX_EVENTS:
            break
        chosen.append(row)
    return chosen


def _verdicts(
    connection: Connection, county_id: str, before: AuditSeal | None, rows: Sequence[AuditSeal]
) -> list[SealVerdict]:
    """Verdicts on consecutive seals after the seal `before`.

    Each is recomputed on the digest in the row before it. Where the object of the last one agrees, the rows before it
    are those that were sealed: its digest stands on theirs. Otherwise each is held against its own object.
    """
    if not rows:
        return []
    start = START if before is None else before.end
    events = seals.events(connection, county_id, start, rows[-1].end)
    anchored = _is_recorded(county_id, rows[-1])
    number, previous, position, verdicts = 0 if before is None else before.seal_no, GENESIS, 0, []
    if before is not None:
        previous = before.digest
    for row in rows:
        findings = [_missing(missing) for missing in range(number + 1, row.seal_no)]
        for record in recorded(county_id, row.seal_no - 1)[:1] if findings else ():
            previous, position = record.seal.digest, _count_before(events, record.seal.end, position)
        first, position = position, _count_before(events, row.end, position)
        covered = events[first:position]
        if not anchored or row.digest != seal_digest(previous, covered):
            findings += _findings(recorded(county_id, row.seal_no), row, covered)
        verdicts.append(_verdict(row, findings))
        number, previous = row.seal_no, row.digest
    return verdicts


def _count_before(events: Sequence[DigestedEvent], end: Position, position: int) -> int:
    """The index of the first event from `position` on that is not before `end`."""
    while position < len(events) and events[position][:2] < end:
        position += 1
    return position


def _is_recorded(county_id: str, row: AuditSeal) -> bool:
    """True where the bucket has the seal as the row says, and no other of its number."""
    objects = recorded(county_id, row.seal_no)
    return len(objects) == 1 and objects[0].seal == row and _is_consistent(objects[0])


def _is_consistent(record: RecordedSeal) -> bool:
    return seal_digest(record.previous, record.digested_events) == record.seal.digest


def _findings(objects: Sequence[RecordedSeal], row: AuditSeal, covered: Sequence[DigestedEvent]) -> list[Finding]:
    """The findings about a seal, by its object."""
    if not objects:
        detail = f"The bucket has no object of the seal {row.seal_no}."
        return [Finding(kind="record_missing", event_id=None, detail=detail)]
    findings = list(compare(objects[0].digested_events, covered))
    if len(objects) > 1 or objects[0].seal != row or not _is_consistent(objects[0]):
        detail = f"The seal {row.seal_no} is not the one that the bucket has."
        findings.insert(0, Finding(kind="seal_replaced", event_id=None, detail=detail))
    return findings


def _removed_at_end(county_id: str, last_no: int) -> list[SealVerdict]:
    """Verdicts on seals that the bucket has after the table's last one."""
    prefix = storage.record_key(county_id, FOLDER, "")
    names = storage.listed_after(prefix, f"{last_no + 1:010}-", MAX_FINDINGS)
    records = [RecordedSeal.model_validate_json(storage.get(prefix + name)) for name in names]
    return [_verdict(record.seal, [_missing(record.seal.seal_no)]) for record in records]


def _missing(seal_no: int) -> Finding:
    detail = f"The seal {seal_no} is missing in the table."
    return Finding(kind="seal_missing", event_id=None, detail=detail)


def _verdict(seal: AuditSeal, findings: Sequence[Finding]) -> SealVerdict:
    return SealVerdict(
        seal_no=seal.seal_no,
        sealed_at=seal.sealed_at,
        events=seal.events,
        digest=seal.digest,
        intact=not findings,
        findings=list(findings[:MAX_FINDINGS]),
    )
