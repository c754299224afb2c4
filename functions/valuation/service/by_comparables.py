"""A value where nobody has promoted a model: by comparable sales, with a model fitted when it is asked for."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from math import nan

from sqlalchemy import Connection

from functions.valuation.repository.valuations import SoldProperty
from functions.valuation.schemas.valuations import Contribution, Contributions, Flag
from functions.valuation.service import telling
from functions.valuation.service.fitted import Fitted, fitted
from functions.valuation.service.told import Told
from shared.appraisal.columns import Characteristics
from shared.appraisal.comparables import METHOD
from shared.appraisal.explanation import Explanation, explain
from shared.evidence import Subject

_BASE = "comparable_prices"


def tell(connection: Connection, county_id: str, subject: Subject, on: date) -> Told:
    """Value a property by the sales of its class. Raises AppraisalInputError where there is no value."""
    basis = fitted(connection, county_id, subject.property_class, on)
    described = subject.describe(basis.evidence.kinds)
    explanation = explain(basis.model, described)
    base, features = _contributions(basis, described, explanation.estimate)
    return Told(
        method=METHOD,
        model=None,
        estimate=explanation.estimate,
        low=explanation.low,
        high=explanation.high,
        confidence=explanation.confidence,
        contributions=Contributions(base=base, features=tuple(features)),
        components={METHOD: explanation.estimate},
        comparables=telling.comparables(explanation.comparables, _sales(basis, explanation)),
        time_trend=telling.time_trend(basis.model.hedonic.trend, on.toordinal()),
        flags=(*telling.flags(explanation.flags), *_class_flag(subject)),
        sales_used=len(basis.model.sales),
        sales_excluded=basis.excluded,
        land_area_sqft=float(described.land_area_sqft[0]),
        land_shares=basis.land_shares,
        land_contribution=_land_contribution(basis, described),
    )


def _contributions(basis: Fitted, described: Characteristics, estimate: Decimal) -> tuple[Decimal, list[Contribution]]:
    """The weighted price of the comparables, and the weighted adjustment for each feature; to the cent together."""
    found = basis.model.predict(described).contributions
    amounts = {name: telling.cents(Decimal(float(dollars[0]))) for name, dollars in found.items()}
    features = [Contribution(name=name, amount=amount, value=None) for name, amount in amounts.items() if name != _BASE]
    return estimate - sum((feature.amount for feature in features), Decimal(0)), features


def _sales(basis: Fitted, explanation: Explanation) -> dict[int, SoldProperty]:
    evidence = basis.evidence
    found = {}
    for comparable in explanation.comparables:
        row = int(basis.rows[comparable.row])
        found[comparable.row] = SoldProperty(
            evidence.sale_ids[row],
            evidence.property_ids[row],
            evidence.addresses[row] or None,
            date.fromordinal(int(evidence.sales.sale_day[row])),
        )
    return found


def _land_contribution(basis: Fitted, described: Characteristics) -> float:
    if basis.land is None:
        return nan
    return float(basis.land.shares(basis.model.hedonic, described, basis.model.valuation_day)[0])


def _class_flag(subject: Subject) -> tuple[Flag, ...]:
    if subject.property_class:
        return ()
    return (Flag(code="unknown_property_class", text="no property class: sales of every class are compared"),)
