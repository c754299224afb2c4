"""The check that a tenant exists."""

from sqlalchemy import Connection, select

from shared.db.models import County
from shared.problems import NotFound


def require_onboarded(connection: Connection, county_id: str) -> None:
    """Raise NotFound for a county that nobody has onboarded, which would otherwise look like an empty one."""
    if connection.scalar(select(County.version).where(County.county_id == county_id)) is None:
        raise NotFound(f"{county_id} is not onboarded.", slug="county-not-found")
