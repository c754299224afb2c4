"""The rules of giving out a value."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import Connection

from functions.valuation.repository import valuations
from functions.valuation.repository.models import TrainedRecord
from functions.valuation.repository.settings import settings
from functions.valuation.repository.valuations import StoredValuation
from functions.valuation.schemas.models import ComparablesModelRequest
from functions.valuation.schemas.valuations import Flag, ValuationRequest, ValuationResponse, ValueInterval
from functions.valuation.service import by_comparables, by_model, comparables_models, model_selection, response_mapping
from functions.valuation.service.comparables_models import ReadyModel
from functions.valuation.service.land import land_of
from functions.valuation.service.refusals import refusal
from functions.valuation.service.valuation_dates import refuse_far_ahead
from functions.valuation.service.valuation_result import Told
from shared import audit
from shared.access import Caller
from shared.appraisal.errors import AppraisalInputError
from shared.appraisal.parameters import COVERAGE
from shared.counties.configuration import ValuationSettings
from shared.db import unit_of_work
from shared.evidence import Subject, read_subject
from shared.jobs import Job
from shared.jobs.lifecycle import deterministic_id, digest, refuse_reused_key
from shared.problems import NotFound, ServiceUnavailable, Unprocessable

_KIND = "valuation"


def value(
    county_id: str, request: ValuationRequest, *, caller: Caller, idempotency_key: str | None
) -> ValuationResponse | Job:
    """Value a property, and keep what was said; or the job that fits what the value needs, after which to ask again.

    By the model that is named, else by the champion of the property's class, else by comparable sales. The same
    Idempotency-Key answers with the valuation that was made the first time. Raises NotFound for a property that is not
    on the roll, Unprocessable (with the reason) for a day that cannot be valued for, a property that lacks what is
    needed, a model that does not fit, or a county with too few sales.
    """
    refuse_far_ahead(request.valuation_date)
    valuation_id = deterministic_id(county_id, _KIND, caller, idempotency_key)
    with unit_of_work(county_id) as connection:
        made, wanted = _value(connection, county_id, request, valuation_id, caller, known=idempotency_key is not None)
    if made is None and wanted is not None:
        return comparables_models.prepare(county_id, wanted, caller)
    if wanted is not None:
        with suppress(ServiceUnavailable):  # the value stands; the next request asks for the model again
            comparables_models.prepare(county_id, wanted, caller)
    if made is None:
        raise NotFound(f"{county_id} has no valuation {valuation_id}.", slug="valuation-not-found")
    return made


def _value(
    connection: Connection,
    county_id: str,
    request: ValuationRequest,
    valuation_id: UUID,
    caller: Caller,
    *,
    known: bool,
) -> tuple[ValuationResponse | None, ComparablesModelRequest | None]:
    """The value, and which comparable-sales model is to be fitted: for this value (None) or for the next."""
    request_digest = digest(request)
    earlier = valuations.find(connection, county_id, valuation_id) if known else None
    if earlier is not None:
        return _repeated(earlier, request_digest), None
    subject = read_subject(connection, county_id, request.property_id)
    if subject is None:
        raise NotFound(f"{county_id} has no property {request.property_id}.", slug="property-not-found")
    basis = _basis(connection, county_id, subject, request)
    if isinstance(basis, ComparablesModelRequest):
        return None, basis
    told = _told(connection, county_id, basis, subject, request)
    made = _response(told, subject, request, settings(connection, county_id), valuation_id, caller)
    wanted = basis.wanted if isinstance(basis, ReadyModel) else None
    if not valuations.add(connection, county_id, made, request_digest):
        earlier = valuations.find(connection, county_id, valuation_id)
        return (made if earlier is None else _repeated(earlier, request_digest)), wanted
    audit.record(
        connection,
        county_id,
        caller.username,
        "valuation.made",
        f"valuations/{valuation_id}",
        {"property_id": made.property_id, "valuation_date": str(made.valuation_date)},
    )
    return made, wanted


def get(county_id: str, valuation_id: UUID) -> ValuationResponse:
    """A value as it was given out. Raises NotFound."""
    with unit_of_work(county_id) as connection:
        stored = valuations.find(connection, county_id, valuation_id)
    if stored is None:
        raise NotFound(f"{county_id} has no valuation {valuation_id}.", slug="valuation-not-found")
    return stored.response


def _repeated(earlier: StoredValuation, request_digest: str) -> ValuationResponse:
    refuse_reused_key(earlier.request_digest, request_digest)
    return earlier.response


def _basis(
    connection: Connection, county_id: str, subject: Subject, request: ValuationRequest
) -> TrainedRecord | ReadyModel | ComparablesModelRequest:
    """What the value is made by, or what has to be fitted first. Raises Unprocessable where there is neither."""
    record = _model(connection, county_id, subject, request)
    if record is not None:
        return record
    try:
        return comparables_models.find(connection, county_id, subject.property_class, request.valuation_date)
    except AppraisalInputError as error:
        raise refusal(error) from error


def _told(
    connection: Connection,
    county_id: str,
    basis: TrainedRecord | ReadyModel,
    subject: Subject,
    request: ValuationRequest,
) -> Told:
    on = request.valuation_date
    try:
        if isinstance(basis, ReadyModel):
            why = model_selection.why_no_champion(connection, county_id, subject.property_class, on)
            return by_comparables.tell(connection, county_id, basis, subject, on, (why,))
        return by_model.tell(connection, county_id, basis, subject, on)
    except AppraisalInputError as error:
        raise refusal(error) from error


def _model(connection: Connection, county_id: str, subject: Subject, request: ValuationRequest) -> TrainedRecord | None:
    if request.model_id is None:
        return model_selection.champion(connection, county_id, subject.property_class, request.valuation_date)
    record = model_selection.named(connection, county_id, request.model_id, request.valuation_date)
    if not record.covers(subject.property_class):
        raise Unprocessable(
            f"The model has learned from sales of other classes than {subject.property_class or 'an unknown one'}.",
            pointer="/body/model_id",
            slug="model-of-other-classes",
        )
    return record


def _response(
    told: Told,
    subject: Subject,
    request: ValuationRequest,
    wanted: ValuationSettings,
    valuation_id: UUID,
    caller: Caller,
) -> ValuationResponse:
    known = response_mapping.current(subject, told.estimate)
    land = land_of(subject, told.land_area_sqft, told.land_contribution)
    split = response_mapping.divided(land, told.estimate, told.land_shares)
    undivided = (split,) if isinstance(split, Flag) else ()
    return ValuationResponse(
        valuation_id=valuation_id,
        property_id=subject.property_id,
        valuation_date=request.valuation_date,
        method=told.method,
        model=told.model,
        age_days=told.age_days,
        estimate=told.estimate,
        interval=ValueInterval(low=told.low, high=told.high, coverage=COVERAGE),
        confidence=told.confidence,
        review=told.confidence < float(wanted.review_below_confidence),
        current=known,
        land=None if isinstance(split, Flag) else split,
        contributions=told.contributions,
        components=dict(told.components),
        component_weights=dict(told.component_weights),
        comparables=told.comparables,
        time_trend=told.time_trend,
        flags=(*told.flags, *undivided, *response_mapping.large_change(known, wanted.flag_change_above)),
        sales_used=told.sales_used,
        sales_excluded=dict(told.sales_excluded),
        created_by=caller.username,
        created_at=datetime.now(UTC),
    )
