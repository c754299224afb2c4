"""Market areas beside one another and beside their county."""

from __future__ import annotations

from collections.abc import Iterable
from math import hypot

from functions.market_analysis.domain.measures import median_dollars, price_per_area
from functions.market_analysis.schemas import Grouping, Market, MarketArea
from shared.appraisal.columns import Sales

BEYOND = 1.96
"""Standard errors at which two changes are said to differ (95 %)."""


def compare(county: Market, county_sales: Sales, markets: Iterable[tuple[Grouping, Market, Sales]]) -> list[MarketArea]:
    """Each market beside the county that it is a part of."""
    usual = median_dollars(price_per_area(county_sales))
    areas = []
    for grouping, market, sales in markets:
        per_area = median_dollars(price_per_area(sales))
        apart, error = _change_apart(market, county)
        median_price = median_dollars(sales.sale_price)
        if median_price is None:
            continue
        areas.append(
            MarketArea(
                grouping=grouping,
                group=market.group,
                sales=market.sales,
                share_of_sales=round(market.sales / county.sales, 5),
                median_price=median_price,
                median_price_per_sqft=per_area,
                price_per_sqft_to_county=round(float(per_area / usual), 4) if per_area and usual else None,
                change_from_county=apart,
                standard_error=error,
                moves_apart=None if apart is None or error is None else abs(apart) > BEYOND * error,
            )
        )
    return areas


def _change_apart(market: Market, county: Market) -> tuple[float | None, float | None]:
    """The difference of the annual changes in percentage points, and its error as if the two were independent.

    A market is part of the county, so the true error is somewhat smaller: the comparison errs towards no difference.
    """
    ours, theirs = market.annual_change, county.annual_change
    if ours is None or theirs is None:
        return None, None
    return round(ours.percent - theirs.percent, 3), round(hypot(ours.standard_error, theirs.standard_error), 3)
