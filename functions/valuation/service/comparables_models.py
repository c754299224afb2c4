"""Comparable-sales models: fitted once for a class and a day, kept, and fitted again when sales change.

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
from functions.valuation.service.refusals import POINTERS, refusal
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

_SETTLED = timedelta(minutes=1)
"""A job that succeeded less than this ago has made a model that this request has only just missed."""
_STANDS = timedelta(minutes=10)
"""How long a refusal is repeated before the sales are looked at again: parcels may have been completed since."""
_STEPS = 3
_MAX_FITTED_HERE = 4

_fitted_here: OrderedDict[tuple[str, str, date, str], ReadyModel] = OrderedDict()


@dataclass(frozen=True)
class ReadyModel:
    """A model that can give values now. `wanted` is what is to be fitted in its place, where sales have changed."""

    loaded: LoadedModel[ComparableSales]
    summary: ComparablesModel
    wanted: ComparablesModelRequest | None = None


def find(connection: Connection, county_id: str, property_class: str, on: date) -> ReadyModel | ComparablesModelRequest:
    """The model of a class ("" takes sales of every class) and a day, or what is to be asked for first (`prepare`).

    Raises AppraisalInputError where the county's sales are few and allow no model.
    """
    version = sales_version(connection, county_id)
    wanted = ComparablesModelRequest(property_class=property_class, valuation_date=on, sales_version=version)
    record = repository.find(connection, county_id, property_class, on)
    if record is not None:
        renewed = record.sales_version != version or record.outdated
        try:
            loaded = artifacts.loaded(county_id, record, ComparableSales)
        except Conflict:  # its object is gone or damaged: another is made
            return wanted
        return ReadyModel(loaded, record.summary, wanted if renewed else None)
    if repository.has_more_sales(connection, county_id, on, MAX_SALES_IN_REQUEST):
        return wanted
    return _fitted_in_request(connection, county_id, wanted)


def prepare(county_id: str, wanted: ComparablesModelRequest, caller: Caller) -> Job:
    """The job that fits a model: one for all who ask for the same. Raises Unprocessable where it found no model."""
    everybody = Caller(COMPARABLES_MODEL.name, caller.username, frozenset({county_id}), frozenset())
    for attempt in count():
        key = "\x1f".join((wanted.property_class, str(wanted.valuation_date), wanted.sales_version, str(attempt)))
        job = jobs.submit(county_id, COMPARABLES_MODEL, wanted, caller=everybody, idempotency_key=key)
        ended = job.finished_at or datetime.now(UTC)
        age = datetime.now(UTC) - ended
        if job.status == "succeeded" and age > _SETTLED:
            continue  # what it made has been dropped since, or damaged, or it is a day old
        if job.status == "cancelled":
            continue
        if job.status == "failed" and job.error is not None:
            if job.error.type in POINTERS and age < _STANDS:
                raise Unprocessable(job.error.detail, pointer=POINTERS[job.error.type], slug=job.error.type)
            try:
                return jobs.resume(county_id, COMPARABLES_MODEL, job.id)
            except Conflict:  # another one who asks for the same has resumed it
                return jobs.get(county_id, COMPARABLES_MODEL, job.id)
        return job
    raise AssertionError("counting has no end")


def fit_model(job: RunningJob) -> ComparablesModel:
    """Fit the model that a job asks for, and keep it. Run again, it makes the same of the same sales.

    Raises Unprocessable where the county's sales allow none.
    """
    request = ComparablesModelRequest.model_validate(job.parameters)
    job.progress(0, _STEPS, "reading sales")
    with unit_of_work(job.county_id) as connection:
        read_at = repository.now(connection)
        version = sales_version(connection, job.county_id)
        try:
            made = _fit(
                connection,
                job.county_id,
                request,
                job.job_id,
                lambda sales: job.announce(1, _STEPS, f"fitting {sales:,} sales"),
            )
        except AppraisalInputError as error:
            raise refusal(error) from error
    job.announce(2, _STEPS, "keeping the model")
    body = artifacts.pack(made.loaded)
    key = job.key("model.zip")
    storage.put(key, body, artifacts.CONTENT_TYPE)
    record = ComparablesRecord(job.job_id, version, key, artifacts.digest(body), made.summary, outdated=False)
    with unit_of_work(job.county_id) as connection:
        job.commit(connection)
        _, dropped = repository.keep(connection, job.county_id, record, read_at)
    for artifact in dropped:
        storage.delete_below(artifact)
    job.progress(_STEPS, _STEPS, "model kept")
    return made.summary


def forget() -> None:
    """Drop what this process has kept (tests)."""
    _fitted_here.clear()
    artifacts.forget()


def _fitted_in_request(connection: Connection, county_id: str, wanted: ComparablesModelRequest) -> ReadyModel:
    """Of few sales; kept in this process while they stay as they are."""
    key = (county_id, wanted.property_class, wanted.valuation_date, wanted.sales_version)
    found = _fitted_here.get(key)
    if found is None:
        found = _fitted_here[key] = _fit(connection, county_id, wanted, UUID(int=0), lambda _: None)
        while len(_fitted_here) > _MAX_FITTED_HERE:
            _fitted_here.popitem(last=False)
    _fitted_here.move_to_end(key)
    return found


def _fit(
    connection: Connection,
    county_id: str,
    wanted: ComparablesModelRequest,
    model_id: UUID,
    announce: Callable[[int], None],
) -> ReadyModel:
    """Read the county's sales before the day and fit those of the class. Raises AppraisalInputError."""
    on = wanted.valuation_date
    evidence = read_evidence(connection, county_id, on)
    excluded = excluded_sales(connection, county_id, on)
    shares = land.land_shares(connection, county_id)
    of_class = np.ones(len(evidence), dtype=np.bool_)
    if wanted.property_class:
        of_class = evidence.property_class == wanted.property_class
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
        property_class=wanted.property_class,
        valuation_date=on,
        first_sale_date=date.fromordinal(int(model.sales.sale_day.min())),
        last_sale_date=date.fromordinal(int(model.sales.sale_day.max())),
        sales_used=len(model.sales),
        sales_excluded={reason: number for reason, number in counts.items() if number},
    )
    return ReadyModel(loaded, summary)
