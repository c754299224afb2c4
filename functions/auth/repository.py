"""What signing in reads of the counties."""

from collections.abc import Sequence

from sqlalchemy import select

from shared.counties.configuration import RbacSettings
from shared.db import unit_of_work
from shared.db.models import County


def rbac_settings_of(county_ids: Sequence[str]) -> dict[str, RbacSettings]:
    """The refinements of the roles in each county that is onboarded."""
    if not county_ids:
        return {}
    with unit_of_work(*county_ids) as connection:
        rows = connection.execute(select(County.county_id, County.configuration["rbac_settings"].label("rbac")))
        return {row.county_id: RbacSettings.model_validate(row.rbac or {}) for row in rows}
