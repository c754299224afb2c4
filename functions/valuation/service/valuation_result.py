"""The value of one property, in one shape for every method."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from functions.valuation.domain.land import LandShares
from shared.contracts.valuation import Comparable, Contributions, Flag, ModelReference, TimeTrend


@dataclass(frozen=True)
class ValuationResult:
    """The estimate as of the valuation date, and everything that explains it. Money is dollars to the cent.

    `age_days` is from the last sale that the model has seen to the valuation date. `land_area_sqft` is NaN where it is
    unknown; the value is divided by `land_shares`, or by `land_contribution`, the land's share by what it contributes
    to prices (NaN where unknown).
    """

    method: str
    model: ModelReference | None
    age_days: int
    estimate: Decimal
    low: Decimal
    high: Decimal
    confidence: float
    contributions: Contributions
    components: Mapping[str, Decimal]
    component_weights: Mapping[str, float]
    comparables: tuple[Comparable, ...]
    time_trend: TimeTrend
    flags: tuple[Flag, ...]
    sales_used: int
    sales_excluded: Mapping[str, int]
    land_area_sqft: float
    land_shares: LandShares
    land_contribution: float
