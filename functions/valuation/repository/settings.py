"""The county's settings of valuation."""

from sqlalchemy import Connection, select

from shared.counties.configuration import ValuationSettings
from shared.db.models import County


def settings(connection: Connection, county_id: str) -> ValuationSettings:
    """What the county's configuration says of valuation; a county that says nothing has the usual settings."""
    stored = connection.scalar(
        select(County.configuration["plugin_settings"]["valuation"]).where(County.county_id == county_id)
    )
    return ValuationSettings.model_validate(stored or {})
