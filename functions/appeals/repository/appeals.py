"""SQL of appeals."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, exists, func, insert, select, text, tuple_, update

from functions.appeals.domain.transitions import OPEN
from functions.appeals.schemas import AppealStatus, Level
from shared.db.models import Appeal, County, Notice, Owner, PropertyOperational

AppealRow = Row[*tuple[Any, ...]]
_CONFIDENTIAL = exists().where(
    Owner.county_id == Appeal.county_id,
    Owner.property_id == Appeal.property_id,
    Owner.confidential.is_(True),
    Owner.retired_at.is_(None),
)
_COLUMNS = (
    *(column for column in Appeal.__table__.columns if column.name != "county_id"),
    _CONFIDENTIAL.label("confidential"),
)


def lock_numbers(connection: Connection, county_id: str, roll_year: int) -> None:
    """Lock the numbers of a roll year's appeals until the transaction ends."""
    name = f"appeals/{county_id}/{roll_year}"
    connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))


def next_number(connection: Connection, county_id: str, roll_year: int) -> int:
    """The number of a roll year's next appeal."""
    statement = select(func.max(Appeal.appeal_no)).where(Appeal.county_id == county_id, Appeal.roll_year == roll_year)
    return int(connection.scalar(statement) or 0) + 1


def add(connection: Connection, county_id: str, values: dict[str, Any]) -> None:
    """Add an appeal."""
    connection.execute(insert(Appeal).values(county_id=county_id, **values))


def find(connection: Connection, county_id: str, appeal_id: UUID, *, for_update: bool = False) -> AppealRow | None:
    """An appeal; with `for_update` locked until the transaction ends."""
    statement = select(*_COLUMNS).where(Appeal.county_id == county_id, Appeal.appeal_id == appeal_id)
    return connection.execute(statement.with_for_update(of=Appeal) if for_update else statement).one_or_none()


def find_open(connection: Connection, county_id: str, property_id: str, roll_year: int) -> AppealRow | None:
    """The appeal of a property's value that is not settled."""
    statement = select(*_COLUMNS).where(
        Appeal.county_id == county_id,
        Appeal.property_id == property_id,
        Appeal.roll_year == roll_year,
        Appeal.status.in_(OPEN),
    )
    return connection.execute(statement).one_or_none()


def change(connection: Connection, county_id: str, appeal_id: UUID, values: dict[str, Any]) -> None:
    """Change an appeal."""
    connection.execute(
        update(Appeal).where(Appeal.county_id == county_id, Appeal.appeal_id == appeal_id).values(values)
    )


def page(
    connection: Connection,
    county_id: str,
    *,
    roll_year: int | None,
    property_id: str | None,
    status: AppealStatus | None,
    level: Level | None,
    hearing_on: date | None,
    before: tuple[datetime, UUID] | None,
    limit: int,
) -> list[AppealRow]:
    """Appeals that meet every filter, the newest first, from the one after a key."""
    statement = select(*_COLUMNS).where(Appeal.county_id == county_id)
    filters = (
        (Appeal.roll_year, roll_year),
        (Appeal.property_id, property_id),
        (Appeal.status, status),
        (Appeal.level, level),
        (_hearing_day(county_id), hearing_on),
    )
    statement = statement.where(*(column == value for column, value in filters if value is not None))
    if before is not None:
        statement = statement.where(tuple_(Appeal.filed_at, Appeal.appeal_id) < tuple_(*before))
    newest = (Appeal.filed_at.desc(), Appeal.appeal_id.desc())
    return list(connection.execute(statement.order_by(*newest).limit(limit)))


def scheduled_on(connection: Connection, county_id: str, day: date, limit: int) -> list[AppealRow]:
    """The appeals whose hearing is on a day of the county's calendar, in the order of the hearings."""
    statement = select(*_COLUMNS).where(
        Appeal.county_id == county_id, Appeal.status == "scheduled", _hearing_day(county_id) == day
    )
    return list(connection.execute(statement.order_by(Appeal.hearing_at, Appeal.appeal_no).limit(limit)))


def _hearing_day(county_id: str) -> Any:
    """SQL of the day of a hearing in the county's time zone."""
    zone = (
        select(func.coalesce(County.configuration["timezone"].astext, "UTC"))
        .where(County.county_id == county_id)
        .scalar_subquery()
    )
    return func.date(func.timezone(zone, Appeal.hearing_at))


def sent_notice(connection: Connection, county_id: str, property_id: str, roll_year: int) -> AppealRow | None:
    """The notice of a property's value that was sent last: its id and the deadline of an appeal."""
    statement = select(Notice.notice_id, Notice.deadline).where(
        Notice.county_id == county_id,
        Notice.property_id == property_id,
        Notice.roll_year == roll_year,
        Notice.status == "sent",
    )
    return connection.execute(statement).one_or_none()


def parcel(connection: Connection, county_id: str, property_id: str) -> AppealRow | None:
    """A parcel's class, and when it was retired."""
    statement = select(PropertyOperational.property_class, PropertyOperational.retired_at).where(
        PropertyOperational.county_id == county_id, PropertyOperational.property_id == property_id
    )
    return connection.execute(statement).one_or_none()


def now(connection: Connection) -> datetime:
    """The time of the transaction."""
    moment: datetime = connection.execute(select(func.now())).scalar_one()
    return moment


_GROUPED = (
    "SELECT grouping(level, property_class, reason_code) AS absent, level, property_class, reason_code,"
    " count(*) AS appeals, count(*) FILTER (WHERE outcome = 'sustained') AS sustained,"
    " count(*) FILTER (WHERE outcome = 'reduced') AS reduced, count(*) FILTER (WHERE outcome = 'raised') AS raised,"
    " coalesce(sum(before_total_value), 0) AS before_total_value,"
    " coalesce(sum(decided_total_value), 0) AS decided_total_value,"
    " coalesce(sum(before_total_value - decided_total_value), 0) AS value_loss FROM appeals"
    " WHERE county_id = :county_id AND roll_year = :roll_year AND outcome IS NOT NULL"
    " GROUP BY GROUPING SETS ((), (level), (property_class), (reason_code))"
    " ORDER BY level, property_class, reason_code"
)
_TOTAL = 0b111
ABSENT_BITS = {"total": _TOTAL, "by_level": 0b011, "by_class": 0b101, "by_reason": 0b110}
"""`grouping` has a bit for each column that a row does not group by, the last column's the lowest."""


def value_losses(connection: Connection, county_id: str, roll_year: int) -> list[AppealRow]:
    """Settled appeals of a roll year: all of them, and by level, class and reason; `absent` tells these apart."""
    return list(connection.execute(text(_GROUPED), {"county_id": county_id, "roll_year": roll_year}))


def counts(connection: Connection, county_id: str, roll_year: int) -> list[AppealRow]:
    """Counts of a roll year's appeals by status, and of the late ones among them."""
    statement = (
        select(Appeal.status, func.count().label("appeals"), func.count().filter(Appeal.late).label("late"))
        .where(Appeal.county_id == county_id, Appeal.roll_year == roll_year)
        .group_by(Appeal.status)
        .order_by(Appeal.status)
    )
    return list(connection.execute(statement))
