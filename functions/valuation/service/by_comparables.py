"""A value where no promoted model serves: by comparable sales, with a model that was fitted before it was asked for."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from sqlalchemy import Connection

from functions.valuation.repository import valuations
from functions.valuation.schemas.valuations import Contribution, Contributions, Flag
from functions.valuation.service import response_mapping
from functions.valuation.service.comparables_models import ReadyModel
from functions.valuation.service.valuation_result import Told
from shared.appraisal.columns import Characteristics
from shared.appraisal.comparables import METHOD
from shared.appraisal.explanation import explain
from shared.evidence import Subject

BEING_RENEWED = "sales_changed_since_fit"
_BASE = "comparable_prices"


def tell(
    connection: Connection, county_id: str, ready: ReadyModel, subject: Subject, on: date, why: tuple[Flag, ...]
) -> Told:
    """Value a property by the sales of its class. Raises AppraisalInputError where there is no value.

    `why` says why no promoted model gives the value.
    """
    known = ready.loaded
    described = subject.describe(known.kinds)
    explanation = explain(known.model, described)
    base, features = _contributions(ready, described, explanation.estimate)
    sale_ids = {comparable.row: known.sale_ids[comparable.row] for comparable in explanation.comparables}
    return Told(
        method=METHOD,
        model=None,
        age_days=on.toordinal() - known.model.hedonic.trend.last_day,
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
        time_trend=response_mapping.time_trend(known.model.hedonic.trend, on.toordinal()),
        flags=(*why, *response_mapping.flags(explanation.flags), *_class_flag(subject), *_renewal_flag(ready)),
        sales_used=ready.summary.sales_used,
        sales_excluded=ready.summary.sales_excluded,
        land_area_sqft=float(described.land_area_sqft[0]),
        land_shares=known.land_shares,
        land_contribution=float(known.land_contributions(described, known.model.valuation_day)[0]),
    )


def _contributions(
    ready: ReadyModel, described: Characteristics, estimate: Decimal
) -> tuple[Decimal, list[Contribution]]:
    """The weighted price of the comparables, and the weighted adjustment for each feature; to the cent together."""
    found = ready.loaded.model.predict(described).contributions
    amounts = {name: response_mapping.cents(Decimal(float(dollars[0]))) for name, dollars in found.items()}
    features = [Contribution(name=name, amount=amount, value=None) for name, amount in amounts.items() if name != _BASE]
    return estimate - sum((feature.amount for feature in features), Decimal(0)), features


def _class_flag(subject: Subject) -> tuple[Flag, ...]:
    if subject.property_class:
        return ()
    return (Flag(code="unknown_property_class", text="no property class: sales of every class are compared"),)


def _renewal_flag(ready: ReadyModel) -> tuple[Flag, ...]:
    if ready.wanted is None:
        return ()
    text = "the county's data has changed since the comparable-sales model was fitted; it is being fitted again"
    return (Flag(code=BEING_RENEWED, text=text),)
