"""SQL of authentication: the refinements of roles by county."""

from sqlalchemy import Connection, select

from shared.counties.configuration import RbacSettings
from shared.db.models import County


def rbac_settings(connection: Connection) -> dict[str, RbacSettings]:
    """Refinements of the roles, by county, of the counties that the transaction may read and that are onboarded."""
    rows = connection.execute(select(County.county_id, County.configuration["rbac_settings"].label("rbac")))
    return {row.county_id: RbacSettings.model_validate(row.rbac or {}) for row in rows}
