"""A value by adjusted comparable sales, for properties that no champion values."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from sqlalchemy import Connection

from functions.valuation.repository import valuations
from functions.valuation.service import response_mapping
from functions.valuation.service.comparables_models import ReadyModel
from functions.valuation.service.valuation_result import ValuationResult
from shared.appraisal.columns import Characteristics
from shared.appraisal.comparables import METHOD
from shared.appraisal.explanation import explain
from shared.contracts.valuation import Contribution, Contributions, Flag
from shared.evidence import Subject

BEING_RENEWED = "sales_changed_since_fit"
_BASE = "comparable_prices"


def value_by_comparables(
    connection: Connection, county_id: str, ready: ReadyModel, subject: Subject, on: date, reasons: tuple[Flag, ...]
) -> ValuationResult:
    """Value a property by the sales of its class. Raises AppraisalInputError where there is no value.

    `reasons` are the flags that say why no champion gives the value.
    """
    loaded = ready.loaded
    described = subject.describe(loaded.kinds)
    explanation = explain(loaded.model, described)
    base, features = _contributions(ready, described, explanation.estimate)
    sale_ids = {comparable.row: loaded.sale_ids[comparable.row] for comparable in explanation.comparables}
    return ValuationResult(
        method=METHOD,
        model=None,
        age_days=on.toordinal() - loaded.model.hedonic.trend.last_day,
        estimate=explanation.estimate,
        low=explanation.low,
        high=explanation.high,
        confidence=explanation.confidence,
        contributions=Contributions(base=base, features=tuple(features)),
        components={METHOD: explanation.estimate},
        component_weights={METHOD: 1.0},
        comparables=response_mapping.comparables(
            explanation.comparables, valuations.sold_properties(connection, county_id, sale_ids)
        ),
        time_trend=response_mapping.time_trend(loaded.model.hedonic.trend, on.toordinal()),
        flags=(
            *reasons,
            *response_mapping.flags(explanation.flags),
            *_unknown_class_flags(subject),
            *_renewal_flags(ready),
        ),
        sales_used=ready.summary.sales_used,
        sales_excluded=ready.summary.sales_excluded,
        land_area_sqft=float(described.land_area_sqft[0]),
        land_shares=loaded.land_shares,
        land_contribution=float(loaded.land_contributions(described, loaded.model.valuation_day)[0]),
    )


def _contributions(
    ready: ReadyModel, described: Characteristics, estimate: Decimal
) -> tuple[Decimal, list[Contribution]]:
    """The weighted price of the comparables, and the weighted adjustment for each feature; to the cent together."""
    dollars_by_feature = ready.loaded.model.predict(described).contributions
    amounts = {name: response_mapping.cents(Decimal(float(dollars[0]))) for name, dollars in dollars_by_feature.items()}
    features = [Contribution(name=name, amount=amount, value=None) for name, amount in amounts.items() if name != _BASE]
    return estimate - sum((feature.amount for feature in features), Decimal(0)), features


def _unknown_class_flags(subject: Subject) -> tuple[Flag, ...]:
    if subject.property_class:
        return ()
    return (Flag(code="unknown_property_class", text="no property class: sales of every class are compared"),)


def _renewal_flags(ready: ReadyModel) -> tuple[Flag, ...]:
    if ready.replacement is None:
        return ()
    text = "the county's data has changed since the comparable-sales model was fitted; it is being fitted again"
    return (Flag(code=BEING_RENEWED, text=text),)
