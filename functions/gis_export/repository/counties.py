"""SQL of a county's name and limits, and of the run that its rows come from."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, select

from shared.counties.configuration import GisExportSettings
from shared.db.models import County, SyncRun


def settings(connection: Connection, county_id: str) -> GisExportSettings:
    """The county's settings of exports, the defaults where it has none."""
    stored = connection.scalar(
        select(County.configuration["plugin_settings"]["gis_export"]).where(County.county_id == county_id)
    )
    return GisExportSettings.model_validate(stored or {})


def county_name(connection: Connection, county_id: str) -> str:
    """The county's name."""
    return str(connection.scalar(select(County.friendly_name).where(County.county_id == county_id)))


def latest_sync(connection: Connection, county_id: str) -> tuple[UUID, datetime] | None:
    """The sync run that was applied last, and when."""
    row = connection.execute(
        select(SyncRun.run_id, SyncRun.applied_at)
        .where(SyncRun.county_id == county_id, SyncRun.applied_at.is_not(None))
        .order_by(SyncRun.applied_at.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else (row.run_id, row.applied_at)
