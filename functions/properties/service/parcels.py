"""Parcels: found, read as they are or were, corrected."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import uuid4

from functions.properties.repository import parcels, versions
from functions.properties.schemas.parcels import (
    PropertyDetail,
    PropertyPatch,
    PropertySale,
    PropertyVersion,
)
from functions.properties.service.as_of import moment_of
from functions.properties.service.history import Authors, versions_of
from shared import audit
from shared.access import Caller
from shared.db import lock_timeout, reading, unit_of_work
from shared.db.models import PropertyOperational
from shared.db.tenancy import require_onboarded
from shared.precedence.field_changes import changed_fields
from shared.precedence.overrides import Decision
from shared.problems import Conflict, NotFound, PreconditionFailed, Unprocessable
from shared.situs import index

_DETAIL = tuple(PropertyDetail.model_fields)
_PATIENCE_S = 5


def detail(county_id: str, property_id: str, as_of: date | datetime | None) -> PropertyDetail:
    """A property as it is, or as it was known at the end of a day (UTC) or at a moment.

    Raises NotFound, and Unprocessable for a day to come.
    """
    with reading(county_id) as connection:
        if as_of is None:
            parcel = parcels.find(connection, county_id, property_id)
        else:
            rows = versions.at(
                connection, PropertyOperational, _DETAIL, county_id, moment_of(as_of), property_id=property_id
            )
            parcel = PropertyDetail.model_construct(**rows[0]._mapping) if rows else None
        if parcel is None:
            require_onboarded(connection, county_id)
    if parcel is None:
        when = f" as of {as_of}" if as_of else ""
        raise NotFound(f"{county_id} has no property {property_id}{when}.", slug="property-not-found")
    return parcel


def history(county_id: str, property_id: str) -> list[PropertyVersion]:
    """Every version of a property, newest first, each with what it changed. Raises NotFound."""
    with unit_of_work(county_id) as connection:
        rows = versions.every(connection, PropertyOperational, "property_id", county_id, property_id=property_id)
        if not rows:
            require_onboarded(connection, county_id)
        made_by = Authors(connection, county_id, PropertyOperational, rows)
    if not rows:
        raise NotFound(f"{county_id} has no property {property_id}.", slug="property-not-found")
    return versions_of(rows, made_by, skipped={"property_id", "geometry"})


def sales(county_id: str, property_id: str) -> list[PropertySale]:
    """A property's transfers, newest first. Raises NotFound."""
    with unit_of_work(county_id) as connection:
        rows = parcels.sales(connection, county_id, property_id)
        if not rows and parcels.find(connection, county_id, property_id) is None:
            require_onboarded(connection, county_id)
            raise NotFound(f"{county_id} has no property {property_id}.", slug="property-not-found")
    return rows


def correct(
    county_id: str, property_id: str, patch: PropertyPatch, *, expected_version: int | None, caller: Caller
) -> PropertyDetail:
    """Change fields of a property; the version before goes into the history, and the audit trail says who.

    `expected_version` None means whatever it is now. Raises NotFound, PreconditionFailed where the property has
    changed since, Unprocessable where nothing is asked for, Conflict while something else changes it.
    """
    corrections = patch.model_dump(exclude_unset=True)
    if not corrections:
        raise Unprocessable("Name at least one field to change.", pointer="/body", slug="nothing-to-change")
    busy = Conflict("The property is being changed, perhaps by a sync; try again in a moment.", slug="property-busy")
    with unit_of_work(county_id) as connection:
        with lock_timeout(connection, _PATIENCE_S, busy):
            version = parcels.lock(connection, county_id, property_id)
        before = parcels.find(connection, county_id, property_id) if version is not None else None
        if before is None:
            require_onboarded(connection, county_id)
            raise NotFound(f"{county_id} has no property {property_id}.", slug="property-not-found")
        if expected_version is not None and expected_version != before.version:
            raise PreconditionFailed(f"The property is at version {before.version} by now; read it again, then decide.")
        if patch.attributes is not None:
            corrections["attributes"] = _merged(before.attributes, patch.attributes)
        changed = {name: value for name, value in corrections.items() if getattr(before, name) != value}
        if not changed:
            return before
        decision = Decision(uuid4(), "edit", caller.username)
        differences = changed_fields({name: getattr(before, name) for name in changed}, changed)
        parcels.supersede(connection, county_id, property_id, changed, decision)
        audit.record(
            connection,
            county_id,
            caller.username,
            "property.edited",
            f"properties/{property_id}",
            {"version": before.version + 1},
            old={name: old for name, (old, _) in differences.items()},
            new={name: new for name, (_, new) in differences.items()},
        )
        if any(name.startswith("situs_") for name in changed):
            index.put(connection, county_id, property_id)
        after = parcels.find(connection, county_id, property_id)
    if after is None:
        raise NotFound(f"{county_id} has no property {property_id}.", slug="property-not-found")
    return after


def _merged(before: Mapping[str, Any] | None, corrections: Mapping[str, Any]) -> dict[str, Any] | None:
    """Attributes with some set and, where they are null, taken away."""
    return {name: value for name, value in {**(before or {}), **corrections}.items() if value is not None} or None
