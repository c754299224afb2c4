"""The county's settings of checks."""

from sqlalchemy import Connection, select

from shared.counties.roll_settings import RollSettings
from shared.db.models import County


def roll_settings(connection: Connection, county_id: str) -> RollSettings:
    """The settings in the county's configuration, or their defaults."""
    configuration = connection.scalar(select(County.configuration).where(County.county_id == county_id)) or {}
    return RollSettings.model_validate(configuration.get("plugin_settings", {}).get("roll", {}))
