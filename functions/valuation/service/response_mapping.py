"""A model's results in the API's models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from functions.valuation.domain.land import NO_LAND_SPLIT, Land, LandShare, LandShares, land_share
from functions.valuation.repository.valuations import SoldProperty
from shared.appraisal.explanation import AdjustedComparable
from shared.appraisal.explanation import Flag as ModelFlag
from shared.appraisal.time_trend import TimeTrend as FittedTrend
from shared.contracts.valuation import Adjustment, Comparable, CurrentValue, Flag, LandSplit, TimeTrend
from shared.evidence import Subject

LARGE_CHANGE: Final = "large_change"
_CENT = Decimal("0.01")


def comparables(adjusted: Sequence[AdjustedComparable], sales: Mapping[int, SoldProperty]) -> tuple[Comparable, ...]:
    """The grid, heaviest first; `sales` are by position in the sales that the model was given."""
    return tuple(_comparable(comparable, sales[comparable.row]) for comparable in adjusted)


def _comparable(comparable: AdjustedComparable, sale: SoldProperty) -> Comparable:
    return Comparable(
        sale_id=sale.sale_id,
        property_id=sale.property_id,
        address=sale.address,
        sale_date=sale.sale_date,
        sale_price=comparable.sale_price,
        distance_km=comparable.distance_km,
        similarity=comparable.similarity,
        adjustments=tuple(
            Adjustment(
                name=adjustment.name,
                amount=adjustment.amount,
                percent=adjustment.percent,
                subject_value=adjustment.subject_value,
                comparable_value=adjustment.comparable_value,
            )
            for adjustment in comparable.adjustments
        ),
        adjusted_price=comparable.adjusted_price,
        weight=comparable.weight,
    )


def land_of_subject(subject: Subject, area_sqft: float, contribution: float) -> Land:
    """The land of a property of the roll."""
    return Land(
        subject.property_class, subject.neighborhood, area_sqft, subject.land_value, subject.total_value, contribution
    )


def land_split(land: Land, estimate: Decimal, typical: LandShares) -> LandSplit | Flag:
    """The value of land and improvements, or the flag that says why it is not known."""
    share = land_share(land, typical)
    if not isinstance(share, LandShare):
        return Flag(code=NO_LAND_SPLIT, text=share)
    value = share.of(estimate)
    return LandSplit(
        land_value=value,
        improvement_value=estimate - value,
        land_share=round(share.share, 4),
        method=share.method,
        text=share.text,
    )


def current_value(subject: Subject, estimate: Decimal) -> CurrentValue | None:
    """The value on the current roll beside the estimate."""
    if subject.total_value is None:
        return None
    change = float(estimate / subject.total_value) - 1.0
    return CurrentValue(total_value=subject.total_value, change_percent=round(100.0 * change, 2))


def large_change_flags(current: CurrentValue | None, limit: Decimal) -> tuple[Flag, ...]:
    """A flag where the estimate is further from the current value than `limit` (a share of it)."""
    if current is None or abs(current.change_percent) <= 100 * float(limit):
        return ()
    text = f"the estimate differs by {current.change_percent:+.1f} % from the current value"
    return (Flag(code=LARGE_CHANGE, text=text),)


def flags(model_flags: Sequence[ModelFlag]) -> tuple[Flag, ...]:
    """A model's flags."""
    return tuple(Flag(code=flag.code, text=flag.text) for flag in model_flags)


def time_trend(trend: FittedTrend, to_day: int) -> TimeTrend:
    """The price trend, with the error of carrying a price from the last sale to the valuation date (ordinal)."""
    error = float(trend.standard_error([float(trend.last_day)], to_day)[0])
    return TimeTrend(
        first_sale_date=date.fromordinal(trend.first_day),
        last_sale_date=date.fromordinal(trend.last_day),
        sales=trend.sales,
        annual_change_percent=round(100.0 * trend.annual_change, 3),
        standard_error_percent=round(100.0 * error, 3),
    )


def cents(amount: Decimal) -> Decimal:
    """An amount to the cent."""
    return amount.quantize(_CENT)
