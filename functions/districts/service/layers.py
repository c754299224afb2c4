"""Layers: shown, and closed."""

from datetime import date

from functions.districts.repository import layers as repository
from functions.districts.repository import loads
from functions.districts.schemas import LayerDetail, LayerSummary
from functions.districts.service.valid_days import day_or_today, require_no_future, require_not_before
from shared import audit
from shared.access import Caller
from shared.db import unit_of_work
from shared.db.tenancy import require_onboarded
from shared.problems import NotFound, PreconditionFailed


def all_layers(county_id: str) -> list[LayerSummary]:
    """The layers of a county. Raises NotFound for a county that is not onboarded."""
    with unit_of_work(county_id) as connection:
        found = repository.layers(connection, county_id)
        if not found:
            require_onboarded(connection, county_id)
    return found


def one_layer(county_id: str, layer: str) -> LayerDetail:
    """A layer with its fields and versions. Raises NotFound."""
    with unit_of_work(county_id) as connection:
        detail = repository.layer(connection, county_id, layer)
        if detail is None:
            require_onboarded(connection, county_id)
            raise missing_layer(county_id, layer)
    return detail


def close(
    county_id: str, layer: str, valid_to: date | None, *, expected_version: int | None, caller: Caller
) -> LayerDetail:
    """End every feature of a layer on a day; its former versions stay. Closing a closed layer changes nothing.

    Raises NotFound, PreconditionFailed where it is at another version, Unprocessable for a day in the future, Conflict
    for one before that of the layer's last version.
    """
    with unit_of_work(county_id) as connection:
        require_onboarded(connection, county_id)
        day = day_or_today(connection, county_id, valid_to)
        require_no_future(connection, county_id, day, "/query/valid_to")
        loads.lock(connection, county_id, layer)
        stored = loads.find(connection, county_id, layer)
        if stored is None:
            raise missing_layer(county_id, layer)
        if expected_version is not None and stored.version != expected_version:
            raise PreconditionFailed(f"The layer {layer} is at version {stored.version} by now.")
        if stored.closed_on is None:
            require_not_before(day, stored.valid_from)
            version = stored.version + 1
            counts = loads.close(connection, county_id, layer, day, version)
            loads.add_version(connection, county_id, layer, version, day, counts, job_id=None, actor=caller.username)
            audit.record(
                connection,
                county_id,
                caller.username,
                "district_layer.closed",
                f"district-layers/{layer}",
                {"removed": counts.removed},
                old={"version": stored.version, "closed_on": None},
                new={"version": version, "closed_on": day.isoformat()},
            )
        detail = repository.layer(connection, county_id, layer)
    if detail is None:
        raise missing_layer(county_id, layer)
    return detail


def missing_layer(county_id: str, layer: str) -> NotFound:
    """The problem of a layer that a county does not have."""
    return NotFound(f"{county_id} has no layer {layer}.", slug="district-layer-not-found")
