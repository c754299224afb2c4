"""Whatever a model is given: a value, a value with a flag, or a clear refusal."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from shared.appraisal.avm.model import TrainedModel
from shared.appraisal.avm.training import train
from shared.appraisal.errors import AppraisalInputError, InsufficientSalesError
from shared.appraisal.parameters import MIN_SALES_FOR_MODEL
from shared.appraisal.ratio_statistics import cod
from shared.counties.configuration import ValuationSettings
from tests.integration.avm.known_counties import COUNTY, KNOWN, LATER, ON, SMALL, one, small_model, with_columns
from tests.synthetic_county import LAST_DAY


@pytest.mark.parametrize(
    ("columns", "flag"),
    [
        ({"longitude": np.nan, "latitude": np.nan}, "no_coordinates"),
        ({"neighborhood": ""}, "unknown_neighborhood"),
        ({"neighborhood": "nowhere"}, "unknown_neighborhood"),
        ({"longitude": -120.0}, "outside_sales_area"),
        ({"living_area_sqft": 40_000.0}, "outside_data_seen"),
        ({"year_built": 1600.0}, "outside_data_seen"),
        ({"bathrooms": np.nan}, "unknown_attribute"),
        ({"quality": "odd"}, "unknown_attribute"),
        ({"land_area_sqft": float(np.quantile(KNOWN.land_area_sqft, 0.998))}, "unusual_attribute"),
    ],
)
def test_unusual_characteristics_of_a_property_are_flagged(
    model: TrainedModel, columns: dict[str, float | str], flag: str
) -> None:
    appraisal = model.explain(one(50, **columns))
    assert flag in {raised.code for raised in appraisal.flags}
    assert flag not in {raised.code for raised in model.explain(one(50)).flags}
    assert appraisal.estimate > 0


@pytest.mark.parametrize(
    ("columns", "refusal", "argument"),
    [
        ({"living_area_sqft": np.nan}, "no_living_area", "living_area_sqft"),
        ({"living_area_sqft": -5.0}, "no_living_area", "living_area_sqft"),
        ({"longitude": np.nan, "neighborhood": ""}, "no_place", "longitude"),
    ],
)
def test_a_property_that_cannot_be_valued_is_refused_with_the_reason(
    model: TrainedModel, columns: dict[str, float | str], refusal: str, argument: str
) -> None:
    subject = one(50, **columns)
    predicted = model.value(subject)
    assert {reason for reason, holds in predicted.refused.items() if holds[0]} == {refusal}
    assert np.isnan(predicted.predictions.estimate[0])
    assert predicted.comparables.rows[0, 0] == -1
    with pytest.raises(AppraisalInputError) as refused:
        model.explain(subject)
    assert refused.value.argument == argument


def test_twelve_sales_are_refused_with_both_numbers() -> None:
    with pytest.raises(InsufficientSalesError) as refused:
        train(COUNTY.sales.take(np.arange(12)), LAST_DAY)
    assert (refused.value.found, refused.value.needed) == (12, 50)


def test_a_county_asks_for_as_many_sales_as_a_model_needs() -> None:
    assert ValuationSettings().minimum_sales == MIN_SALES_FOR_MODEL


def test_fifty_sales_are_valued_out_of_fold() -> None:
    rows = np.linspace(0, len(COUNTY.sales) - 1, 50).astype(np.int64)
    model = train(COUNTY.sales.take(rows), LAST_DAY)
    assert model.holdout.protocol.startswith("out of fold")
    assert np.allclose(model.holdout.price, COUNTY.sales.sale_price[rows][model.holdout.rows])
    assert cod(model.holdout.estimate / model.holdout.price) < 20


def test_a_valuation_day_before_the_first_sale_is_refused() -> None:
    with pytest.raises(InsufficientSalesError) as refused:
        train(COUNTY.sales, int(COUNTY.sales.sale_day.min()))
    assert refused.value.found == 0


def test_a_county_without_a_sale_in_the_last_year_is_refused() -> None:
    with pytest.raises(AppraisalInputError, match="more than a year"):
        train(SMALL.sales, LAST_DAY + 400)


def test_sales_that_all_have_one_price_are_refused() -> None:
    with pytest.raises(AppraisalInputError, match="same price"):
        train(replace(SMALL.sales, sale_price=np.full(len(SMALL.sales), 250_000.0)), LAST_DAY)


def test_sales_of_one_day_are_refused() -> None:
    with pytest.raises(AppraisalInputError, match="one day"):
        train(replace(SMALL.sales, sale_day=np.full(len(SMALL.sales), LAST_DAY - 1)), LAST_DAY)


def test_prices_that_are_none_or_absurd_are_excluded_and_change_nothing_else() -> None:
    price = SMALL.sales.sale_price.copy()
    price[[3, 50, 90, 120]] = [-1.0, 0.0, np.nan, np.inf]
    price[[10, 60]] = [1.0, 1e12]
    model = train(replace(SMALL.sales, sale_price=price), LAST_DAY)
    assert model.excluded["no_price"].tolist() == [3, 50, 90, 120]
    assert model.excluded["implausible_price"].tolist() == [10, 60]
    ours, theirs = (m.predict(KNOWN.take(LATER)).estimate for m in (model, small_model()))
    assert np.median(np.abs(ours / theirs - 1)) < 0.03


def test_a_lot_that_was_sold_before_its_house_was_built_is_no_evidence_of_the_house() -> None:
    price, built = SMALL.sales.sale_price.copy(), SMALL.sales.characteristics.year_built.copy()
    price[[20, 21]] /= 6
    built[20] = 2030
    model = train(with_columns(replace(SMALL.sales, sale_price=price), year_built=built), LAST_DAY)
    assert model.excluded["sold_before_built"].tolist() == [20]
    assert model.excluded["implausible_price"].tolist() == [21]


def test_an_attribute_that_is_unknown_for_nine_in_ten_counts_where_it_is_known() -> None:
    """A view is written where there is one: its price is found all the same, and its absence is no flag."""
    view = COUNTY.sales.characteristics.numeric["view"]
    sparse = np.where(view > 0, 1.0, np.nan)
    model = train(with_columns(COUNTY.sales, numeric={"view": sparse}), ON)
    plain, viewed = (replace(one(500), numeric={"view": np.array([value])}) for value in (np.nan, 1.0))
    assert np.log(model.predict(viewed).estimate / model.predict(plain).estimate)[0] == pytest.approx(0.15, abs=0.05)
    assert "unknown_attribute" not in {flag.code for flag in model.explain(plain).flags}


@pytest.mark.parametrize(
    "columns",
    [
        {"neighborhood": np.full(len(SMALL.sales), "N1")},
        {"numeric": {"view": np.ones(len(SMALL.sales))}},
        {"numeric": {}, "bathrooms": np.full(len(SMALL.sales), np.nan)},
        {"numeric": {"noise": np.where(np.arange(len(SMALL.sales)) % 10 == 0, 1.0, np.nan)}},
        {"categorical": {"wall": np.array(["brick", "wood", ""] * 80)}},
    ],
    ids=["one neighborhood", "a constant", "never known", "known for a tenth", "codes"],
)
def test_a_county_with_other_fields_is_valued_without_code(columns: dict[str, Any]) -> None:
    sales = with_columns(SMALL.sales, **columns)
    model = train(sales, LAST_DAY)
    assert cod(model.holdout.estimate / model.holdout.price) < 15
    unseen = replace(sales.characteristics.take(np.arange(3)), categorical={"wall": np.array(["mud", "", "wood"])})
    predicted = model.predict(replace(unseen, numeric={}))
    assert (predicted.low < predicted.estimate).all()
    assert (predicted.estimate < predicted.high).all()


def test_a_county_without_coordinates_or_neighborhoods_is_valued_by_its_characteristics() -> None:
    unknown = np.full(len(SMALL.sales), np.nan)
    nowhere = with_columns(SMALL.sales, longitude=unknown, latitude=unknown, neighborhood=np.full(len(SMALL.sales), ""))
    model = train(nowhere, LAST_DAY)
    appraisal = model.explain(nowhere.characteristics.take(np.array([4])))
    assert "no_coordinates" in {flag.code for flag in appraisal.flags}
    assert float(appraisal.estimate) == pytest.approx(SMALL.truth[4], rel=0.5)
