"""A parcel's improvements, as they are and as they were."""

from datetime import UTC, date, datetime
from itertools import groupby

from functions.properties.repository import parcels, versions
from functions.properties.schemas.parcels import Improvement, ImprovementHistory
from functions.properties.service.as_of import moment_of
from functions.properties.service.history import Authors, versions_of
from shared.db import unit_of_work
from shared.db.models import Improvement as ImprovementRow
from shared.db.tenancy import require_onboarded
from shared.problems import NotFound

_NAMES = tuple(Improvement.model_fields)


def at(county_id: str, property_id: str, as_of: date | datetime | None) -> list[Improvement]:
    """The improvements of a parcel by id, as they are, or as they were at the end of a day (UTC) or at a moment.

    Raises NotFound for an unknown parcel, Unprocessable for a day to come.
    """
    moment = moment_of(as_of) if as_of is not None else datetime.now(UTC)
    with unit_of_work(county_id) as connection:
        rows = versions.at(connection, ImprovementRow, _NAMES, county_id, moment, property_id=property_id)
        if not rows and parcels.find(connection, county_id, property_id) is None:
            require_onboarded(connection, county_id)
            raise NotFound(f"{county_id} has no property {property_id}.", slug="property-not-found")
    standing = [Improvement.model_construct(**row._mapping) for row in rows if row.retired_at is None]
    return sorted(standing, key=lambda improvement: improvement.improvement_id)


def history(county_id: str, property_id: str) -> list[ImprovementHistory]:
    """Every version of every improvement that the parcel has or had. Raises NotFound for an unknown parcel."""
    with unit_of_work(county_id) as connection:
        rows = versions.every(connection, ImprovementRow, "improvement_id", county_id, property_id=property_id)
        if not rows and parcels.find(connection, county_id, property_id) is None:
            require_onboarded(connection, county_id)
            raise NotFound(f"{county_id} has no property {property_id}.", slug="property-not-found")
        made_by = Authors(connection, county_id, ImprovementRow, rows)
    return [
        ImprovementHistory(improvement_id=key, versions=versions_of(list(own), made_by, skipped={"improvement_id"}))
        for key, own in groupby(rows, key=lambda row: str(row.improvement_id))
    ]
