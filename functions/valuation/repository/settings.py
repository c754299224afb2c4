"""The county's settings of valuation."""

from sqlalchemy import Connection, select

from shared.counties.configuration import ValuationSettings
from shared.db.models import County


def settings(connection: Connection, county_id: str) -> ValuationSettings:
    """The valuation settings of the county's configuration, with the defaults of those it does not name."""
    stored = connection.scalar(
        select(County.configuration["plugin_settings"]["valuation"]).where(County.county_id == county_id)
    )
    return ValuationSettings.model_validate(stored or {})
