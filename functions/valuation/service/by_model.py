"""A value by a trained model."""

from __future__ import annotations

from datetime import date
from typing import Final

from sqlalchemy import Connection

from functions.valuation.repository import valuations
from functions.valuation.repository.models import TrainedRecord
from functions.valuation.schemas.valuations import Contribution, Contributions, Flag, ModelReference
from functions.valuation.service import response_mapping
from functions.valuation.service.artifacts import loaded
from functions.valuation.service.valuation_result import Told
from shared.appraisal.avm.model import TrainedModel
from shared.counties.configuration import ValuationSettings
from shared.evidence import Subject

CARRIED_BY_TREND: Final = "carried_by_trend"
"""The valuation date is later than the model's day: the value was carried there by the model's price trend."""
CARRIED_FAR: Final = "carried_beyond_usual"
"""And farther than a county allows that says nothing of it."""
_WORTH_A_WORD = 0.01


def tell(connection: Connection, county_id: str, record: TrainedRecord, subject: Subject, on: date) -> Told:
    """Value a property by a model. Raises AppraisalInputError where there is no value, Conflict for a lost model."""
    known = loaded(county_id, record, TrainedModel)
    described = subject.describe(known.kinds)
    appraisal = known.model.explain(described, on.toordinal())
    rows = {comparable.row: known.sale_ids[comparable.row] for comparable in appraisal.comparables}
    training = record.summary.training
    return Told(
        method=known.model.name,
        model=ModelReference(model_id=record.model_id, valuation_date=record.valuation_date, champion=record.champion),
        age_days=on.toordinal() - known.model.trend.last_day,
        estimate=appraisal.estimate,
        low=appraisal.low,
        high=appraisal.high,
        confidence=appraisal.confidence,
        contributions=Contributions(
            base=appraisal.base,
            features=tuple(
                Contribution(name=each.name, amount=each.amount, value=each.value) for each in appraisal.contributions
            ),
        ),
        components={str(name): value for name, value in appraisal.components.items() if appraisal.weights[name] > 0},
        component_weights={str(name): weight for name, weight in appraisal.weights.items() if weight > 0},
        comparables=response_mapping.comparables(
            appraisal.comparables, valuations.sold_properties(connection, county_id, rows)
        ),
        time_trend=response_mapping.time_trend(known.model.trend, on.toordinal()),
        flags=(*response_mapping.flags(appraisal.flags), *_carried(record, known.model, on)),
        sales_used=training.sales_used,
        sales_excluded=training.sales_excluded,
        land_area_sqft=float(described.land_area_sqft[0]),
        land_shares=known.land_shares,
        land_contribution=float(known.land_contributions(described, on.toordinal())[0]),
    )


def _carried(record: TrainedRecord, model: TrainedModel, on: date) -> tuple[Flag, ...]:
    if on == record.valuation_date:
        return ()
    days = (on - record.valuation_date).days
    text = f"the model is of {record.valuation_date}: its value is carried {days} days by its price trend"
    wider = model.widening(on.toordinal())
    if wider >= _WORTH_A_WORD:
        text += f", {on.toordinal() - model.trend.last_day} days after the last sale it knows; the interval is"
        text += f" {wider:.0%} wider for it"
    flag = Flag(code=CARRIED_BY_TREND, text=text)
    if days <= ValuationSettings().carry_days:
        return (flag,)
    usual = f"the value is carried {days} days, beyond the usual {ValuationSettings().carry_days}, as the county allows"
    return (flag, Flag(code=CARRIED_FAR, text=f"{usual}; a model trained for the day would know later sales"))
