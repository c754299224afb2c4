"""Indices that say nothing are not shown as if they did."""

from datetime import date

import numpy as np
import pytest

from functions.market_analysis.domain.analysis import analyze
from functions.market_analysis.schemas import MarketAnalysisRequest, MarketAnalysisResults
from shared.appraisal.errors import InsufficientSalesError
from shared.appraisal.market_index import fit_market
from shared.evidence import AttributeKinds, Evidence
from tests.synthetic_county import synthetic_county

COUNTY = synthetic_county(600, seed=7)
FIRST = date.fromordinal(int(COUNTY.sales.sale_day.min()))


def analysed(pairs: int, noise: float) -> MarketAnalysisResults:
    """The market of some parcels sold twice within two years, at prices with an error (log points) of `noise`."""
    random = np.random.default_rng(3)
    once = COUNTY.sales.take(np.arange(pairs))
    first = FIRST.toordinal() + random.integers(0, 300, pairs)
    second = first + random.integers(200, 400, pairs)
    price = np.concatenate([once.sale_price, once.sale_price * np.exp(random.normal(0.03, noise, pairs))])
    sales = type(once)(once.characteristics.take(np.tile(np.arange(pairs), 2)), np.concatenate([first, second]), price)
    ids = [f"P{row}" for row in range(pairs)] * 2
    names = np.full(2 * pairs, "residential")
    evidence = Evidence([f"S{row}" for row in range(2 * pairs)], ids, ids, names, names, price, sales, AttributeKinds())
    request = MarketAnalysisRequest(sale_from=FIRST, sale_to=date(FIRST.year + 3, 12, 31))
    return analyze(request, evidence, {}, lambda *_: None)


def test_an_index_of_few_noisy_pairs_is_withheld_with_its_error_and_what_it_rests_on() -> None:
    overall = analysed(59, 0.35).overall
    assert all(month.repeat_sales_index is None for month in overall.months)
    assert overall.repeat_sales.base_month is None
    assert overall.repeat_sales.reason is not None
    assert "properties sold twice" in overall.repeat_sales.reason
    assert "withheld where that is over 10%" in overall.repeat_sales.reason


def test_an_index_of_many_good_pairs_is_shown_and_its_doubtful_months_are_marked() -> None:
    overall = analysed(600, 0.02).overall
    shown = [month for month in overall.months if month.repeat_sales_index is not None]
    assert len(shown) > 12
    assert overall.repeat_sales.reason is None
    for month in shown:
        share = month.repeat_sales_standard_error / month.repeat_sales_index  # type: ignore[operator]
        assert share <= 0.10
        assert month.repeat_sales_uncertain == (share > 0.05)


@pytest.mark.parametrize("number", [0, 1, 2, 20])
def test_too_few_sales_for_an_index_are_counted_as_they_are(number: int) -> None:
    with pytest.raises(InsufficientSalesError, match=f"there (is|are) {number}") as refused:
        fit_market(COUNTY.sales.take(np.arange(number)))
    assert refused.value.found == number
