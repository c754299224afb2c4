"""Comparable-sales models: fitted once for a class and a day, stored, and fitted again when sales change.

Fitting a county's thousands of sales takes seconds of a processor, so no request does it: a job does, and its model is
kept in S3 under the version of the sales that it was made of. An edit of a parcel changes nothing. Where the sales have
changed, the former model gives values, and says so, until the job has fitted another. A county of few sales is fitted
in the request, which takes a fraction of a second.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import count
from uuid import UUID

import numpy as np
from sqlalchemy import Connection

from functions.valuation.job_kinds import COMPARABLES_MODEL
from functions.valuation.repository import comparables_models as repository
from functions.valuation.repository import land
from functions.valuation.repository.comparables_models import ComparablesRecord
from functions.valuation.schemas.models import ComparablesModel, ComparablesModelRequest
from functions.valuation.service import artifacts
from functions.valuation.service.artifacts import LoadedModel
from functions.valuation.service.valuation_errors import FAULT_POINTERS, no_value_problem
from shared import jobs, storage
from shared.access import Caller
from shared.appraisal.comparables import ComparableSales, fit_comparables
from shared.appraisal.errors import AppraisalInputError
from shared.appraisal.land_contribution import fit_land_contribution
from shared.db import unit_of_work
from shared.evidence import excluded_sales, read_evidence, sales_version
from shared.jobs import Job, RunningJob
from shared.problems import Conflict, Unprocessable

MAX_SALES_IN_REQUEST = 1000
"""Sales of a county up to which a request fits a model itself: 0.2 to 0.5 s of a processor, with many attributes."""

_COMPLETION_GRACE = timedelta(minutes=1)
"""Choice: the model of a job that succeeded less than this ago was stored after this request looked for it."""
_REFUSAL_LIFETIME = timedelta(minutes=10)
"""Choice: how long a refusal is repeated before the sales are read again; parcels may have been completed since."""
_STEPS = 3
_MAX_CACHED = 4
"""Choice: as `artifacts.MAX_CACHED`."""

_cache: OrderedDict[tuple[str, str, date, str], ReadyModel] = OrderedDict()


@dataclass(frozen=True)
class ReadyModel:
    """A model that can give values now. `replacement` is the model to fit in its place, where sales have changed."""

    loaded: LoadedModel[ComparableSales]
    summary: ComparablesModel
    replacement: ComparablesModelRequest | None = None


def find(connection: Connection, county_id: str, property_class: str, on: date) -> ReadyModel | ComparablesModelRequest:
    """The model of a class ("" takes sales of every class) and a day, or what is to be asked for first (`prepare`).

    Raises AppraisalInputError where the county's sales are few and allow no model.
    """
    version = sales_version(connection, county_id)
    request = ComparablesModelRequest(property_class=property_class, valuation_date=on, sales_version=version)
    record = repository.find(connection, county_id, property_class, on)
    if record is not None:
        outdated = record.sales_version != version or record.outdated
        try:
            loaded = artifacts.load_model(county_id, record, ComparableSales)
        except Conflict:  # its object is gone or damaged: another is made
            return request
        return ReadyModel(loaded, record.summary, request if outdated else None)
    if repository.has_more_sales(connection, county_id, on, MAX_SALES_IN_REQUEST):
        return request
    return _fit_in_request(connection, county_id, request)


def submit_fit(county_id: str, request: ComparablesModelRequest, caller: Caller) -> Job:
    """Submit the job that fits a model, one for all callers. Raises Unprocessable where the sales allowed no model."""
    shared_caller = Caller(COMPARABLES_MODEL.name, caller.username, frozenset({county_id}), frozenset())
    for attempt in count():
        key = "\x1f".join((request.property_class, str(request.valuation_date), request.sales_version, str(attempt)))
        job = jobs.submit(county_id, COMPARABLES_MODEL, request, caller=shared_caller, idempotency_key=key)
        ended = job.finished_at or datetime.now(UTC)
        age = datetime.now(UTC) - ended
        if job.status == "succeeded" and age > _COMPLETION_GRACE:
            continue  # what it made has been dropped since, or damaged, or it is a day old
        if job.status == "cancelled":
            continue
        if job.status == "failed" and job.error is not None:
            if job.error.type in FAULT_POINTERS and age < _REFUSAL_LIFETIME:
                raise Unprocessable(job.error.detail, pointer=FAULT_POINTERS[job.error.type], slug=job.error.type)
            try:
                return jobs.resume(county_id, COMPARABLES_MODEL, job.id)
            except Conflict:  # another one who asks for the same has resumed it
                return jobs.get(county_id, COMPARABLES_MODEL, job.id)
        return job
    raise AssertionError("counting has no end")


def fit_model(job: RunningJob) -> ComparablesModel:
    """Fit the model that a job asks for, and store it. Idempotent: the same sales give the same model.

    Raises Unprocessable where the county's sales allow none.
    """
    request = ComparablesModelRequest.model_validate(job.parameters)
    job.progress(0, _STEPS, "reading sales")
    with unit_of_work(job.county_id) as connection:
        read_at = repository.transaction_time(connection)
        version = sales_version(connection, job.county_id)
        try:
            fitted = _fit(
                connection,
                job.county_id,
                request,
                job.job_id,
                lambda sales: job.announce(1, _STEPS, f"fitting {sales:,} sales"),
            )
        except AppraisalInputError as error:
            raise no_value_problem(error) from error
    job.announce(2, _STEPS, "keeping the model")
    body = artifacts.pack(fitted.loaded)
    key = job.key("model.zip")
    storage.put(key, body, artifacts.CONTENT_TYPE)
    record = ComparablesRecord(job.job_id, version, key, artifacts.digest(body), fitted.summary, outdated=False)
    with unit_of_work(job.county_id) as connection:
        job.commit(connection)
        _, dropped = repository.save(connection, job.county_id, record, read_at)
    for artifact in dropped:
        storage.delete_below(artifact)
    job.progress(_STEPS, _STEPS, "model kept")
    return fitted.summary


def clear_caches() -> None:
    """Empty this process's caches (tests)."""
    _cache.clear()
    artifacts.clear_cache()


def _fit_in_request(connection: Connection, county_id: str, request: ComparablesModelRequest) -> ReadyModel:
    """Fit a model of few sales, and cache it in this process while they stay as they are."""
    key = (county_id, request.property_class, request.valuation_date, request.sales_version)
    cached = _cache.get(key)
    if cached is None:
        cached = _cache[key] = _fit(connection, county_id, request, UUID(int=0), lambda _: None)
        while len(_cache) > _MAX_CACHED:
            _cache.popitem(last=False)
    _cache.move_to_end(key)
    return cached


def _fit(
    connection: Connection,
    county_id: str,
    request: ComparablesModelRequest,
    model_id: UUID,
    announce: Callable[[int], None],
) -> ReadyModel:
    """Read the county's sales before the day and fit those of the class. Raises AppraisalInputError."""
    on = request.valuation_date
    evidence = read_evidence(connection, county_id, on)
    excluded = excluded_sales(connection, county_id, on)
    shares = land.land_shares(connection, county_id)
    of_class = np.ones(len(evidence), dtype=np.bool_)
    if request.property_class:
        of_class = evidence.property_class == request.property_class
    area = evidence.sales.characteristics.living_area_sqft > 0
    priced = evidence.sales.sale_price > 0
    rows = np.flatnonzero(of_class & area & priced).astype(np.int64)
    announce(int(rows.size))
    model = fit_comparables(evidence.sales.take(rows), on.toordinal())
    counts = {
        **excluded,
        "other_property_class": int((~of_class).sum()),
        "no_price": int((of_class & ~priced).sum()),
        "no_living_area": int((of_class & priced & ~area).sum()),
    }
    counts["older_than_needed"] = counts.get("older_than_needed", 0) + int(rows.size - model.rows.size)
    loaded = LoadedModel(
        model,
        tuple(evidence.sale_ids[row] for row in rows),
        evidence.kinds,
        shares,
        fit_land_contribution(model.hedonic, model.sales),
    )
    summary = ComparablesModel(
        model_id=model_id,
        property_class=request.property_class,
        valuation_date=on,
        first_sale_date=date.fromordinal(int(model.sales.sale_day.min())),
        last_sale_date=date.fromordinal(int(model.sales.sale_day.max())),
        sales_used=len(model.sales),
        sales_excluded={reason: number for reason, number in counts.items() if number},
    )
    return ReadyModel(loaded, summary)
