"""SQL of counties."""

from sqlalchemy import Connection, select

from shared.db.models import County


def county_name(connection: Connection, county_id: str) -> str | None:
    """The county's name."""
    return connection.scalar(select(County.friendly_name).where(County.county_id == county_id))
