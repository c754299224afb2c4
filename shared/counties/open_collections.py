"""Collections of features that a county lets everybody read, without signing in."""

from sqlalchemy import Connection, select

from shared.counties.configuration import FeaturesSettings
from shared.db.models import County


def open_collections(connection: Connection, county_id: str) -> frozenset[str]:
    """The ids of the county's open collections; none of a county that is not onboarded."""
    settings = County.configuration["plugin_settings"]["features"]
    configured = connection.scalar(select(settings).where(County.county_id == county_id))
    return FeaturesSettings.model_validate(configured or {}).open_collections
