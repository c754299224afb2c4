"""SQL of the versions of a county's template."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, insert, select

from shared.db.models import NoticeTemplate


@dataclass(frozen=True)
class StoredTemplate:
    """A version of a county's template; without a text, the platform's holds."""

    version: int
    template: str | None
    made_by: str
    made_at: datetime


_COLUMNS = (NoticeTemplate.version, NoticeTemplate.template, NoticeTemplate.made_by, NoticeTemplate.made_at)


def lock(connection: Connection, county_id: str) -> None:
    """Lock the county's template until the transaction ends: it has no row before its first version."""
    connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"notice template/{county_id}", 0))))


def newest(connection: Connection, county_id: str) -> StoredTemplate | None:
    """The newest version of a county's template."""
    statement = select(*_COLUMNS).where(NoticeTemplate.county_id == county_id)
    row = connection.execute(statement.order_by(NoticeTemplate.version.desc()).limit(1)).one_or_none()
    return None if row is None else StoredTemplate(**row._mapping)


def text_of(connection: Connection, county_id: str, version: int) -> str | None:
    """The text of a version; None where the platform's holds."""
    return connection.scalar(
        select(NoticeTemplate.template).where(NoticeTemplate.county_id == county_id, NoticeTemplate.version == version)
    )


def add(connection: Connection, county_id: str, version: int, template: str | None, made_by: str) -> None:
    """Add a version."""
    connection.execute(
        insert(NoticeTemplate).values(county_id=county_id, version=version, template=template, made_by=made_by)
    )
