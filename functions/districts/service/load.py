"""Loads of layers: asked for, and held against what is there.

A load has three steps, each with the layers of its own function, because Polars, which reads sources, and GDAL and
GEOS, which read and repair shapes, do not fit into one: `read_source`, `convert_file` and `make_version`.
"""

from datetime import date
from functools import partial

from functions.districts.job_kinds import DISTRICT_LOAD
from functions.districts.repository import loads
from functions.districts.schemas import DistrictLoadRequest, LayerLoad
from functions.districts.service.valid_days import day_or_today, require_no_future, require_not_before
from shared import jobs
from shared.access import Caller
from shared.counties.source_description import is_secret_of, secret_prefix
from shared.db import unit_of_work
from shared.db.tenancy import require_onboarded
from shared.jobs import Job
from shared.problems import Unprocessable


def start(county_id: str, layer: str, load: LayerLoad, *, caller: Caller, idempotency_key: str | None) -> Job:
    """Start a load of a layer. Raises Unprocessable for a request that no load can meet."""
    request = DistrictLoadRequest(layer=layer, **{name: getattr(load, name) for name in LayerLoad.model_fields})
    return jobs.submit(
        county_id,
        DISTRICT_LOAD,
        request,
        caller=caller,
        idempotency_key=idempotency_key,
        check=partial(_require_loadable, county_id, request),
    )


def _require_loadable(county_id: str, request: DistrictLoadRequest) -> None:
    loadable_day(county_id, request)


def loadable_day(county_id: str, request: DistrictLoadRequest) -> date:
    """The day from which a load's version would hold.

    Raises Unprocessable where the source's secret is not the county's, or for a day in the future, Conflict for a day
    before that of the layer's last version.
    """
    secret = getattr(request.source, "secret_name", None)
    if secret is not None and not is_secret_of(county_id, secret):
        raise Unprocessable(
            f"The name of the source's secret must begin with {secret_prefix(county_id)}, and no part of it may be"
            " empty, `.` or `..`.",
            pointer="/source/secret_name",
            slug="foreign-secret",
        )
    with unit_of_work(county_id) as connection:
        require_onboarded(connection, county_id)
        day = day_or_today(connection, county_id, request.valid_from)
        require_no_future(connection, county_id, day, "/valid_from")
        stored = loads.find(connection, county_id, request.layer)
        if stored is not None:
            require_not_before(day, stored.valid_from)
    return day
