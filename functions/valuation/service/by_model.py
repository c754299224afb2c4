"""A value by a trained model."""

from __future__ import annotations

from datetime import date
from typing import Final

from sqlalchemy import Connection

from functions.valuation.repository import valuations
from functions.valuation.repository.models import TrainedRecord
from functions.valuation.service import response_mapping
from functions.valuation.service.artifacts import load_model
from functions.valuation.service.valuation_result import ValuationResult
from shared.appraisal.avm.model import TrainedModel
from shared.contracts.valuation import Contribution, Contributions, Flag, ModelReference
from shared.counties.configuration import ValuationSettings
from shared.evidence import Subject

CARRIED_BY_TREND: Final = "carried_by_trend"
"""The valuation date is later than the model's day: the value was carried there by the model's price trend."""
CARRIED_BEYOND_USUAL: Final = "carried_beyond_usual"
"""The value was carried for more days than the default setting allows."""
_MIN_REPORTED_WIDENING = 0.01
"""Choice: intervals are shown in whole percent."""


def value_by_model(
    connection: Connection, county_id: str, record: TrainedRecord, subject: Subject, on: date
) -> ValuationResult:
    """Value a property by a trained model. Raises AppraisalInputError without a value, Conflict for a lost artifact."""
    loaded = load_model(county_id, record, TrainedModel)
    described = subject.describe(loaded.kinds)
    appraisal = loaded.model.explain(described, on.toordinal())
    rows = {comparable.row: loaded.sale_ids[comparable.row] for comparable in appraisal.comparables}
    training = record.summary.training
    return ValuationResult(
        method=loaded.model.name,
        model=ModelReference(model_id=record.model_id, valuation_date=record.valuation_date, champion=record.champion),
        age_days=on.toordinal() - loaded.model.trend.last_day,
        estimate=appraisal.estimate,
        low=appraisal.low,
        high=appraisal.high,
        confidence=appraisal.confidence,
        contributions=Contributions(
            base=appraisal.base,
            features=tuple(
                Contribution(name=contribution.name, amount=contribution.amount, value=contribution.value)
                for contribution in appraisal.contributions
            ),
        ),
        components={str(name): value for name, value in appraisal.components.items() if appraisal.weights[name] > 0},
        component_weights={str(name): weight for name, weight in appraisal.weights.items() if weight > 0},
        comparables=response_mapping.comparables(
            appraisal.comparables, valuations.sold_properties(connection, county_id, rows)
        ),
        time_trend=response_mapping.time_trend(loaded.model.trend, on.toordinal()),
        flags=(*response_mapping.flags(appraisal.flags), *_carried_flags(record, loaded.model, on)),
        sales_used=training.sales_used,
        sales_excluded=training.sales_excluded,
        land_area_sqft=float(described.land_area_sqft[0]),
        land_shares=loaded.land_shares,
        land_contribution=float(loaded.land_contributions(described, on.toordinal())[0]),
    )


def _carried_flags(record: TrainedRecord, model: TrainedModel, on: date) -> tuple[Flag, ...]:
    if on == record.valuation_date:
        return ()
    days = (on - record.valuation_date).days
    text = f"the model is of {record.valuation_date}: its value is carried {days} days by its price trend"
    widening = model.widening(on.toordinal())
    if widening >= _MIN_REPORTED_WIDENING:
        text += f", {on.toordinal() - model.trend.last_day} days after the last sale it knows; the interval is"
        text += f" {widening:.0%} wider for it"
    flag = Flag(code=CARRIED_BY_TREND, text=text)
    if days <= ValuationSettings().carry_days:
        return (flag,)
    beyond_default = (
        f"the value is carried {days} days, beyond the usual {ValuationSettings().carry_days}, as the county allows"
    )
    return (
        flag,
        Flag(code=CARRIED_BEYOND_USUAL, text=f"{beyond_default}; a model trained for the day would know later sales"),
    )
