"""SQL of the documents of appeals."""

from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, func, select, update
from sqlalchemy.dialects.postgresql import insert

from shared.db.models import AppealDocument

DocumentRow = Row[*tuple[Any, ...]]
_COLUMNS = tuple(column for column in AppealDocument.__table__.columns if column.name != "county_id")


def add(connection: Connection, county_id: str, values: dict[str, Any]) -> bool:
    """Add a document; False where it is there."""
    statement = insert(AppealDocument).values(county_id=county_id, **values).on_conflict_do_nothing()
    return connection.execute(statement).rowcount == 1


def find(connection: Connection, county_id: str, appeal_id: UUID, document_id: UUID) -> DocumentRow | None:
    """A document of an appeal."""
    statement = select(*_COLUMNS).where(
        AppealDocument.county_id == county_id,
        AppealDocument.appeal_id == appeal_id,
        AppealDocument.document_id == document_id,
    )
    return connection.execute(statement).one_or_none()


def of_appeal(connection: Connection, county_id: str, appeal_id: UUID) -> list[DocumentRow]:
    """The documents of an appeal, the oldest first."""
    statement = select(*_COLUMNS).where(AppealDocument.county_id == county_id, AppealDocument.appeal_id == appeal_id)
    return list(connection.execute(statement.order_by(AppealDocument.added_at, AppealDocument.document_id)))


def set_received(connection: Connection, county_id: str, document_id: UUID) -> bool:
    """Note that the file of a document is there; False where that was noted before."""
    statement = (
        update(AppealDocument)
        .where(
            AppealDocument.county_id == county_id,
            AppealDocument.document_id == document_id,
            AppealDocument.received_at.is_(None),
        )
        .values(received_at=func.now())
    )
    return connection.execute(statement).rowcount == 1
