"""Valuation of a single property on request."""

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
from functions.valuation.schemas.valuations import ValuationRequest
from functions.valuation.service import by_comparables, by_model, comparables_models, model_selection, response_mapping
from functions.valuation.service.comparables_models import ReadyModel
from functions.valuation.service.valuation_dates import require_within_horizon
from functions.valuation.service.valuation_errors import no_value_problem
from functions.valuation.service.valuation_result import ValuationResult
from shared import audit
from shared.access import Caller
from shared.appraisal.errors import AppraisalInputError
from shared.appraisal.parameters import COVERAGE
from shared.contracts.valuation import Flag, ValuationResponse, ValueInterval
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
    Idempotency-Key answers with the valuation of the first request. Raises NotFound for a property that is not on the
    roll, Unprocessable (with the reason) for a day that cannot be valued for, a property that lacks what is
    needed, a model that does not fit, or a county with too few sales.
    """
    require_within_horizon(request.valuation_date)
    valuation_id = deterministic_id(county_id, _KIND, caller, idempotency_key)
    with unit_of_work(county_id) as connection:
        response, fit_request = _value(
            connection, county_id, request, valuation_id, caller, has_key=idempotency_key is not None
        )
    if response is None and fit_request is not None:
        return comparables_models.submit_fit(county_id, fit_request, caller)
    if fit_request is not None:
        with suppress(ServiceUnavailable):  # the value stands; the next request asks for the model again
            comparables_models.submit_fit(county_id, fit_request, caller)
    if response is None:
        raise NotFound(f"{county_id} has no valuation {valuation_id}.", slug="valuation-not-found")
    return response


def _value(
    connection: Connection,
    county_id: str,
    request: ValuationRequest,
    valuation_id: UUID,
    caller: Caller,
    *,
    has_key: bool,
) -> tuple[ValuationResponse | None, ComparablesModelRequest | None]:
    """The value, and the comparable-sales model to fit: for this value (which is None) or for the next."""
    request_digest = digest(request)
    earlier = valuations.find(connection, county_id, valuation_id) if has_key else None
    if earlier is not None:
        return _same_response(earlier, request_digest), None
    subject = read_subject(connection, county_id, request.property_id)
    if subject is None:
        raise NotFound(f"{county_id} has no property {request.property_id}.", slug="property-not-found")
    basis = _basis(connection, county_id, subject, request)
    if isinstance(basis, ComparablesModelRequest):
        return None, basis
    result = _value_result(connection, county_id, basis, subject, request)
    response = _response(result, subject, request, settings(connection, county_id), valuation_id, caller)
    fit_request = basis.replacement if isinstance(basis, ReadyModel) else None
    if not valuations.add(connection, county_id, response, request_digest):
        earlier = valuations.find(connection, county_id, valuation_id)
        return (response if earlier is None else _same_response(earlier, request_digest)), fit_request
    audit.record(
        connection,
        county_id,
        caller.username,
        "valuation.made",
        f"valuations/{valuation_id}",
        {"property_id": response.property_id, "valuation_date": str(response.valuation_date)},
    )
    return response, fit_request


def get(county_id: str, valuation_id: UUID) -> ValuationResponse:
    """A value as it was given out. Raises NotFound."""
    with unit_of_work(county_id) as connection:
        stored = valuations.find(connection, county_id, valuation_id)
    if stored is None:
        raise NotFound(f"{county_id} has no valuation {valuation_id}.", slug="valuation-not-found")
    return stored.response


def _same_response(earlier: StoredValuation, request_digest: str) -> ValuationResponse:
    refuse_reused_key(earlier.request_digest, request_digest)
    return earlier.response


def _basis(
    connection: Connection, county_id: str, subject: Subject, request: ValuationRequest
) -> TrainedRecord | ReadyModel | ComparablesModelRequest:
    """The model that values the property, or the one to fit first. Raises Unprocessable where there is neither."""
    record = _model(connection, county_id, subject, request)
    if record is not None:
        return record
    try:
        return comparables_models.find(connection, county_id, subject.property_class, request.valuation_date)
    except AppraisalInputError as error:
        raise no_value_problem(error) from error


def _value_result(
    connection: Connection,
    county_id: str,
    basis: TrainedRecord | ReadyModel,
    subject: Subject,
    request: ValuationRequest,
) -> ValuationResult:
    on = request.valuation_date
    try:
        if isinstance(basis, ReadyModel):
            reason = model_selection.no_champion_flag(connection, county_id, subject.property_class, on)
            return by_comparables.value_by_comparables(connection, county_id, basis, subject, on, (reason,))
        return by_model.value_by_model(connection, county_id, basis, subject, on)
    except AppraisalInputError as error:
        raise no_value_problem(error) from error


def _model(connection: Connection, county_id: str, subject: Subject, request: ValuationRequest) -> TrainedRecord | None:
    if request.model_id is None:
        return model_selection.champion(connection, county_id, subject.property_class, request.valuation_date)
    record = model_selection.requested_model(connection, county_id, request.model_id, request.valuation_date)
    if not record.covers(subject.property_class):
        raise Unprocessable(
            f"The model has learned from sales of other classes than {subject.property_class or 'an unknown one'}.",
            pointer="/model_id",
            slug="model-of-other-classes",
        )
    return record


def _response(
    result: ValuationResult,
    subject: Subject,
    request: ValuationRequest,
    valuation_settings: ValuationSettings,
    valuation_id: UUID,
    caller: Caller,
) -> ValuationResponse:
    current = response_mapping.current_value(subject, result.estimate)
    land = response_mapping.land_of_subject(subject, result.land_area_sqft, result.land_contribution)
    split = response_mapping.land_split(land, result.estimate, result.land_shares)
    no_split_flags = (split,) if isinstance(split, Flag) else ()
    return ValuationResponse(
        valuation_id=valuation_id,
        property_id=subject.property_id,
        valuation_date=request.valuation_date,
        method=result.method,
        model=result.model,
        age_days=result.age_days,
        estimate=result.estimate,
        interval=ValueInterval(low=result.low, high=result.high, coverage=COVERAGE),
        confidence=result.confidence,
        review=result.confidence < float(valuation_settings.review_below_confidence),
        current=current,
        land=None if isinstance(split, Flag) else split,
        contributions=result.contributions,
        components=dict(result.components),
        component_weights=dict(result.component_weights),
        comparables=result.comparables,
        time_trend=result.time_trend,
        flags=(
            *result.flags,
            *no_split_flags,
            *response_mapping.large_change_flags(current, valuation_settings.flag_change_above),
        ),
        sales_used=result.sales_used,
        sales_excluded=dict(result.sales_excluded),
        created_by=caller.username,
        created_at=datetime.now(UTC),
    )
