"""The rules of giving out a value."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection

from functions.valuation import repository
from functions.valuation.fitted import Fitted, fitted
from functions.valuation.repository import StoredValuation
from functions.valuation.schemas import (
    Adjustment,
    Comparable,
    Flag,
    TimeTrend,
    ValuationRequest,
    ValuationResponse,
    ValueInterval,
)
from shared import audit
from shared.access import Caller
from shared.appraisal import AdjustedComparable, AppraisalInputError, ComparableSales, Explanation, explain
from shared.appraisal.comparables import METHOD
from shared.appraisal.conformal import COVERAGE
from shared.db import unit_of_work
from shared.evidence import Subject, read_subject
from shared.jobs.lifecycle import deterministic_id, digest, refuse_reused_key
from shared.problems import NotFound, Unprocessable

FURTHEST_AHEAD = timedelta(days=366)
_KIND = "valuation"


def value(
    county_id: str, request: ValuationRequest, *, caller: Caller, idempotency_key: str | None
) -> ValuationResponse:
    """Value a property, and keep what was said.

    The same Idempotency-Key answers with the valuation that was made the first time. Raises NotFound for a
    property that is not on the roll, Unprocessable (with the reason) for a day that cannot be valued for, a
    property that lacks what is needed, or a county with too few sales.
    """
    _refuse_far_ahead(request.valuation_date)
    valuation_id = deterministic_id(county_id, _KIND, caller, idempotency_key)
    request_digest = digest(request)
    with unit_of_work(county_id) as connection:
        earlier = repository.find(connection, county_id, valuation_id)
        if earlier is not None:
            return _repeated(earlier, request_digest)
        subject = read_subject(connection, county_id, request.property_id)
        if subject is None:
            raise NotFound(f"{county_id} has no property {request.property_id}.", slug="property-not-found")
        made = _value(connection, county_id, subject, request.valuation_date, valuation_id, caller)
        if repository.add(connection, county_id, made, request_digest):
            audit.record(
                connection,
                county_id,
                caller.username,
                "valuation.made",
                f"valuations/{valuation_id}",
                {"property_id": made.property_id, "valuation_date": str(made.valuation_date)},
            )
            return made
        earlier = repository.find(connection, county_id, valuation_id)
    return made if earlier is None else _repeated(earlier, request_digest)


def get(county_id: str, valuation_id: UUID) -> ValuationResponse:
    """A value as it was given out. Raises NotFound."""
    with unit_of_work(county_id) as connection:
        stored = repository.find(connection, county_id, valuation_id)
    if stored is None:
        raise NotFound(f"{county_id} has no valuation {valuation_id}.", slug="valuation-not-found")
    return stored.response


def _refuse_far_ahead(on: date) -> None:
    last = datetime.now(UTC).date() + FURTHEST_AHEAD
    if on > last:
        raise Unprocessable(
            f"A value can be given for a day up to {last}; nothing is known of the market beyond a year.",
            pointer="/body/valuation_date",
            slug="valuation-date-too-late",
        )


def _repeated(earlier: StoredValuation, request_digest: str) -> ValuationResponse:
    refuse_reused_key(earlier.request_digest, request_digest)
    return earlier.response


def _value(
    connection: Connection, county_id: str, subject: Subject, on: date, valuation_id: UUID, caller: Caller
) -> ValuationResponse:
    try:
        basis = fitted(connection, county_id, subject.property_class, on)
        explanation = explain(basis.model, subject.describe(basis.evidence.kinds))
    except AppraisalInputError as error:
        raise _refusal(error) from error
    flags = [Flag(code=flag.code, text=flag.text) for flag in explanation.flags]
    if not subject.property_class:
        flags.append(Flag(code="unknown_property_class", text="no property class: sales of every class are compared"))
    return ValuationResponse(
        valuation_id=valuation_id,
        property_id=subject.property_id,
        valuation_date=on,
        method=METHOD,
        estimate=explanation.estimate,
        interval=ValueInterval(low=explanation.low, high=explanation.high, coverage=COVERAGE),
        confidence=explanation.confidence,
        comparables=_comparables(basis, explanation),
        time_trend=_trend(basis.model),
        flags=tuple(flags),
        sales_used=len(basis.model.sales),
        sales_excluded=basis.excluded,
        created_by=caller.username,
        created_at=datetime.now(UTC),
    )


def _refusal(error: AppraisalInputError) -> Unprocessable:
    """The library's reason as the caller's problem: what it names decides which part of the request is at fault."""
    match error.argument:
        case "valuation_day" | "day":
            slug, place = "valuation-date-not-covered", "/body/valuation_date"
        case "living_area_sqft" | "longitude":
            slug, place = "property-not-comparable", "/body/property_id"
        case _:
            slug, place = "too-few-sales", "/body/valuation_date"
    return Unprocessable(f"No value can be given: {error.problem}.", pointer=place, slug=slug)


def _comparables(basis: Fitted, explanation: Explanation) -> tuple[Comparable, ...]:
    return tuple(_comparable(basis, comparable) for comparable in explanation.comparables)


def _comparable(basis: Fitted, comparable: AdjustedComparable) -> Comparable:
    row = int(basis.rows[comparable.row])
    evidence = basis.evidence
    return Comparable(
        sale_id=evidence.sale_ids[row],
        property_id=evidence.property_ids[row],
        address=evidence.addresses[row] or None,
        sale_date=date.fromordinal(int(evidence.sales.sale_day[row])),
        sale_price=comparable.sale_price,
        distance_km=comparable.distance_km,
        similarity=comparable.similarity,
        adjustments=tuple(
            Adjustment(
                name=step.name,
                amount=step.amount,
                percent=step.percent,
                subject_value=step.subject_value,
                comparable_value=step.comparable_value,
            )
            for step in comparable.adjustments
        ),
        adjusted_price=comparable.adjusted_price,
        weight=comparable.weight,
    )


def _trend(model: ComparableSales) -> TimeTrend:
    trend = model.hedonic.trend
    return TimeTrend(
        first_sale_date=date.fromordinal(trend.first_day),
        last_sale_date=date.fromordinal(trend.last_day),
        sales=trend.sales,
        annual_change_percent=round(100.0 * trend.annual_change, 3),
        standard_error_percent=round(100.0 * model.extra_error, 3),
    )
