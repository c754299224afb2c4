"""Market areas compared with their county."""

from __future__ import annotations

from collections.abc import Iterable
from math import hypot

from functions.market_analysis.domain.measures import median_dollars, price_per_area
from functions.market_analysis.domain.parameters import SIGNIFICANT_ERRORS
from functions.market_analysis.schemas import Grouping, Market, MarketArea
from shared.appraisal.columns import Sales


def compare_areas(
    county: Market, county_sales: Sales, markets: Iterable[tuple[Grouping, Market, Sales]]
) -> list[MarketArea]:
    """Compare each market with the county that it is a part of."""
    county_per_area = median_dollars(price_per_area(county_sales))
    areas = []
    for grouping, market, sales in markets:
        per_area = median_dollars(price_per_area(sales))
        difference, error = _difference_of_changes(market, county)
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
                price_per_sqft_to_county=(
                    round(float(per_area / county_per_area), 4) if per_area and county_per_area else None
                ),
                change_from_county=difference,
                standard_error=error,
                moves_apart=(
                    None if difference is None or error is None else abs(difference) > SIGNIFICANT_ERRORS * error
                ),
            )
        )
    return areas


def _difference_of_changes(market: Market, county: Market) -> tuple[float | None, float | None]:
    """The difference of the annual changes in percentage points, and its error as if the two were independent.

    A market is part of the county, so the true error is somewhat smaller: the comparison errs towards no difference.
    """
    market_change, county_change = market.annual_change, county.annual_change
    if market_change is None or county_change is None:
        return None, None
    error = hypot(market_change.standard_error, county_change.standard_error)
    return round(market_change.percent - county_change.percent, 3), round(error, 3)
