"""SQL of the seals, and of the events that they cover."""
# ruff: noqa: S608 - COPY takes no parameters: values are numbers, or literals

from pg8000.native import literal
from sqlalchemy import Connection, insert, select, text

from functions.audit.domain.chain import DigestedEvent, digested
from functions.audit.schemas import AuditSeal, Position
from shared.db.copying import copy_out
from shared.db.models import AuditSeal as SealRow

_COLUMNS = [getattr(SealRow, name) for name in AuditSeal.model_fields]
_CONTENT = (
    "json_build_array(to_char(occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US'), actor, action, subject,"
    " details, old, new, address, request_id)"
)
"""SQL of an event's content. Seals stand on its bytes: a column that is added later gets no place in it."""


def lock(connection: Connection, county_id: str) -> None:
    """Let nobody else seal the county's events until the transaction ends. Writers of events are not held up."""
    connection.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": f"audit-seals/{county_id}"}
    )


def horizon(connection: Connection) -> int:
    """The oldest transaction that has not ended: all events of older ones are visible, and there will be no more."""
    statement = text("SELECT CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint)")
    return int(connection.scalar(statement) or 0)


def last(connection: Connection, county_id: str) -> AuditSeal | None:
    """The newest seal."""
    statement = select(*_COLUMNS).where(SealRow.county_id == county_id).order_by(SealRow.seal_no.desc()).limit(1)
    row = connection.execute(statement).one_or_none()
    return None if row is None else AuditSeal(**row._mapping)


def after(connection: Connection, county_id: str, seal_no: int, limit: int) -> list[AuditSeal]:
    """Seals after the one of this number, in their order."""
    rows = connection.execute(
        select(*_COLUMNS)
        .where(SealRow.county_id == county_id, SealRow.seal_no > seal_no)
        .order_by(SealRow.seal_no)
        .limit(limit)
    )
    return [AuditSeal(**row._mapping) for row in rows]


def find(connection: Connection, county_id: str, seal_no: int) -> AuditSeal | None:
    """The seal of a number."""
    row = connection.execute(
        select(*_COLUMNS).where(SealRow.county_id == county_id, SealRow.seal_no == seal_no)
    ).one_or_none()
    return None if row is None else AuditSeal(**row._mapping)


def add(connection: Connection, county_id: str, seal: AuditSeal) -> None:
    """Add a seal."""
    connection.execute(insert(SealRow).values(county_id=county_id, **seal.model_dump()))


def events(
    connection: Connection, county_id: str, start: Position, end: Position, limit: int | None = None
) -> list[DigestedEvent]:
    """The events from a position on, up to another, in their order."""
    bound = "" if limit is None else f" LIMIT {limit}"
    if limit is not None:
        # without statistics the planner sorts all of a backlog for each seal, where the index has its order already
        connection.exec_driver_sql("SET LOCAL enable_bitmapscan = off")
    copied, _ = copy_out(
        connection.connection.dbapi_connection,
        f"COPY (SELECT transaction_id, event_id, {_CONTENT} FROM audit_events WHERE county_id = {literal(county_id)}"
        f" AND (transaction_id, event_id) >= ({start[0]:d}, {start[1]:d})"
        f" AND (transaction_id, event_id) < ({end[0]:d}, {end[1]:d})"
        f" ORDER BY transaction_id, event_id{bound}) TO STDOUT",
    )
    return digested(copied)
