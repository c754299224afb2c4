"""The automated valuation model, on counties whose prices are known."""

from dataclasses import replace
from decimal import Decimal
from functools import cache
from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
import pytest
import xgboost
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.appraisal import AppraisalInputError, Characteristics, InsufficientSalesError, Model, Sales
from shared.appraisal.arrays import FloatArray
from shared.appraisal.avm import ArtifactError, TrainedModel, dump, load, train
from shared.appraisal.avm.boosting import _relative_error
from shared.appraisal.avm.reconciliation import fit_reconciliation
from shared.appraisal.avm.surroundings import Surroundings
from shared.appraisal.ratio_statistics import cod, prb
from tests.synthetic_county import ANNUAL_TREND, LAST_DAY, synthetic_county

COUNTY = synthetic_county(1000)
ON = int(np.quantile(COUNTY.sales.sale_day, 0.85))
LATER = np.flatnonzero(COUNTY.sales.sale_day >= ON)
KNOWN = COUNTY.sales.characteristics
SMALL = synthetic_county(240, seed=7)
Artifact = dict[str, bytes]


@pytest.fixture(scope="module")
def model() -> TrainedModel:
    return train(COUNTY.sales, ON)


@cache
def small_model() -> TrainedModel:
    return train(SMALL.sales, LAST_DAY)


def one(row: int, **columns: float | str) -> Characteristics:
    changes: dict[str, Any] = {name: np.array([value]) for name, value in columns.items()}
    return replace(KNOWN.take(np.array([row])), **changes)


def with_columns(sales: Sales, **columns: Any) -> Sales:
    return replace(sales, characteristics=replace(sales.characteristics, **columns))


def later_value(row: int) -> float:
    """The true value as of the valuation day of a property that was sold after it."""
    return float(COUNTY.truth[row] * np.exp(-ANNUAL_TREND * (COUNTY.sales.sale_day[row] - ON) / 365.2425))


def test_it_is_a_model_made_of_sales_before_the_valuation_day(model: TrainedModel) -> None:
    as_model: Model = model
    assert (as_model.name, as_model.valuation_day) == ("reconciled_avm", ON)
    assert (COUNTY.sales.sale_day[model.rows] < ON).all()
    assert np.array_equal(model.excluded["on_or_after_valuation_date"], LATER)
    everywhere = np.concatenate([model.rows, *model.excluded.values()])
    assert np.array_equal(np.sort(everywhere), np.arange(len(COUNTY.sales)))
    assert sum(model.weights.values()) == pytest.approx(1)


def test_later_sales_are_valued_near_their_true_value_and_better_than_by_each_model_alone(model: TrainedModel) -> None:
    said = model.value(KNOWN.take(LATER))
    truth = np.array([later_value(int(row)) for row in LATER])
    reconciled = cod(said.predictions.estimate / truth)
    assert reconciled < 4.5
    assert np.median(said.predictions.estimate / truth) == pytest.approx(1, abs=0.02)
    assert all(reconciled < cod(value / truth) + 0.3 for value in said.components.values())


def test_the_interval_holds_about_eight_in_ten_later_sales(model: TrainedModel) -> None:
    said = model.predict(KNOWN.take(LATER))
    price = COUNTY.sales.sale_price[LATER] * np.array([later_value(int(row)) / COUNTY.truth[row] for row in LATER])
    assert 0.7 <= np.mean((said.low <= price) & (price <= said.high)) <= 0.9
    assert said.confidence.mean() == pytest.approx(np.mean(np.abs(price / said.estimate - 1) <= 0.1), abs=0.1)


def test_the_hold_out_values_the_latest_fifth_by_models_of_what_came_before(model: TrainedModel) -> None:
    held = model.holdout
    assert held.protocol.startswith("forward")
    assert held.rows.size == pytest.approx(0.2 * len(model.rows), rel=0.1)
    assert np.allclose(held.price, COUNTY.sales.sale_price[held.rows])
    assert (COUNTY.sales.sale_day[held.rows] >= held.folds[0].valuation_day).all()
    assert all(fold.trained_on < len(model.rows) for fold in held.folds)
    assert cod(held.estimate / held.price) < 9
    assert 0.75 <= np.mean((held.low <= held.price) & (held.price <= held.high)) <= 0.85
    assert set(held.components) == set(model.weights)


@given(
    st.integers(0, len(SMALL.sales) - 1),
    st.floats(0.3, 3.0),
    st.sampled_from([np.nan, 0.0, 1.0, 40.0]),
    st.sampled_from(["N0", "nowhere", ""]),
    st.sampled_from([None, LAST_DAY, LAST_DAY - 200, LAST_DAY + 200]),
)
@settings(max_examples=60)
def test_contributions_add_up_to_the_value_whatever_the_property(
    row: int, size: float, baths: float, neighborhood: str, on: int | None
) -> None:
    subject = SMALL.sales.characteristics.take(np.array([row]))
    subject = replace(
        subject,
        living_area_sqft=subject.living_area_sqft * size,
        bathrooms=np.array([baths]),
        neighborhood=np.array([neighborhood]),
    )
    said = small_model().value(subject, on)
    assert said.contributions.base + said.contributions.dollars.sum() == pytest.approx(
        said.predictions.estimate[0], rel=1e-12
    )
    told = small_model().explain(subject, on)
    assert told.base + sum(part.amount for part in told.contributions) == told.estimate
    assert told.low < told.estimate < told.high
    assert float(told.estimate) == pytest.approx(said.predictions.estimate[0], abs=0.01)


def test_the_grid_adds_up_and_reconciles_to_the_comparable_sales_value(model: TrainedModel) -> None:
    for on in (None, ON + 90):
        told = model.explain(one(int(LATER[3])), on)
        assert len(told.comparables) == 15
        for comparable in told.comparables:
            steps = sum((step.amount for step in comparable.adjustments), Decimal(0))
            assert comparable.sale_price + steps == comparable.adjusted_price
            assert COUNTY.sales.sale_price[comparable.row] == pytest.approx(float(comparable.sale_price))
        reconciled = sum(float(c.adjusted_price) * c.weight for c in told.comparables)
        assert float(told.components["comparable_sales"]) == pytest.approx(reconciled, rel=1e-4)


def test_the_comparables_of_many_are_those_of_each(model: TrainedModel) -> None:
    several = model.value(KNOWN.take(LATER[:4]))
    told = model.explain(one(int(LATER[2])))
    assert [c.row for c in told.comparables] == several.comparables.rows[2].tolist()
    assert several.comparables.weight.sum(axis=1) == pytest.approx(np.ones(4))


def test_many_properties_are_valued_in_parts_as_one(model: TrainedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    subjects = replace(KNOWN, living_area_sqft=np.where(np.arange(len(KNOWN)) < 60, np.nan, KNOWN.living_area_sqft))
    whole = model.value(subjects)
    monkeypatch.setattr("shared.appraisal.avm.model._AT_ONCE", 50)
    parts = model.value(subjects)
    assert np.allclose(parts.predictions.estimate, whole.predictions.estimate, rtol=1e-5, equal_nan=True)
    assert parts.contributions.base == whole.contributions.base
    assert np.array_equal(parts.refused["no_living_area"], whole.refused["no_living_area"])
    assert np.array_equal(parts.comparables.rows[:, 0], whole.comparables.rows[:, 0])


def test_a_value_is_carried_to_another_day_by_the_trend_and_widens_ahead(model: TrainedModel) -> None:
    subject = one(10)
    now, ahead = model.predict(subject), model.predict(subject, ON + 180)
    assert np.log(ahead.estimate / now.estimate)[0] == pytest.approx(ANNUAL_TREND * 180 / 365.2425, abs=0.02)
    assert (ahead.high / ahead.low > now.high / now.low).all()
    for day in (int(COUNTY.sales.sale_day.min()) - 1, ON + 500):
        with pytest.raises(AppraisalInputError):
            model.predict(subject, day)


def test_the_same_sales_and_seed_give_the_same_bytes_and_another_seed_others() -> None:
    again = train(SMALL.sales, LAST_DAY)
    assert dump(again) == dump(small_model())
    assert dump(train(SMALL.sales, LAST_DAY, seed=1)) != dump(again)


def test_a_loaded_model_says_what_the_dumped_one_said(model: TrainedModel) -> None:
    loaded = load(dump(model))
    ours, theirs = model.value(KNOWN), loaded.value(KNOWN)
    for name in ("estimate", "low", "high", "confidence"):
        assert np.array_equal(getattr(ours.predictions, name), getattr(theirs.predictions, name))
    assert np.array_equal(ours.contributions.dollars, theirs.contributions.dollars)
    assert loaded.explain(one(5)) == model.explain(one(5))
    assert (loaded.features, loaded.weights, loaded.seed) == (model.features, model.weights, model.seed)
    assert np.array_equal(loaded.holdout.low, model.holdout.low)
    assert dump(loaded) == dump(model)


def _members() -> Artifact:
    with ZipFile(BytesIO(dump(small_model()))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _zipped(members: Artifact) -> bytes:
    stream = BytesIO()
    with ZipFile(stream, "w", ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


@given(st.data())
@settings(max_examples=40)
def test_a_damaged_artifact_is_refused_wherever_the_damage_is(data: st.DataObject) -> None:
    whole = whole_artifact()
    place = data.draw(st.integers(0, len(whole) - 1))
    damaged = bytearray(whole)
    damaged[place] ^= data.draw(st.integers(1, 255))
    try:
        loaded = load(bytes(damaged))
    except ArtifactError:
        return
    # The zip format has a few bytes that say nothing (dates, attributes): then nothing may differ.
    assert dump(loaded) == whole


@cache
def whole_artifact() -> bytes:
    return dump(small_model())


@pytest.mark.parametrize("content", [b"", b"PK", b"\x80\x04}q\x00.", b"{}"])
def test_what_is_no_artifact_is_refused(content: bytes) -> None:
    with pytest.raises(ArtifactError):
        load(content)


def test_an_artifact_cut_short_swapped_or_of_another_version_is_refused() -> None:
    members = _members()
    with pytest.raises(ArtifactError):
        load(whole_artifact()[: len(whole_artifact()) // 2])
    with pytest.raises(ArtifactError, match=r"damaged at 0003\.npy"):
        load(_zipped({**members, "0003.npy": members["0004.npy"]}))
    with pytest.raises(ArtifactError, match="damaged at surplus"):
        load(_zipped({**members, "surplus": b""}))
    newer = members["manifest.json"].replace(b'"version":1', b'"version":9')
    with pytest.raises(ArtifactError, match=r"terrafusion.avm 9"):
        load(_zipped({**members, "manifest.json": newer}))


# bad input: a clear refusal, or a value with a flag


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
def test_what_is_unusual_about_a_property_is_flagged(
    model: TrainedModel, columns: dict[str, float | str], flag: str
) -> None:
    told = model.explain(one(50, **columns))
    assert flag in {found.code for found in told.flags}
    assert flag not in {found.code for found in model.explain(one(50)).flags}
    assert told.estimate > 0


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
    said = model.value(subject)
    assert {reason for reason, holds in said.refused.items() if holds[0]} == {refusal}
    assert np.isnan(said.predictions.estimate[0])
    assert said.comparables.rows[0, 0] == -1
    with pytest.raises(AppraisalInputError) as refused:
        model.explain(subject)
    assert refused.value.argument == argument


def test_twelve_sales_are_refused_with_both_numbers() -> None:
    with pytest.raises(InsufficientSalesError) as refused:
        train(COUNTY.sales.take(np.arange(12)), LAST_DAY)
    assert (refused.value.found, refused.value.needed) == (12, 50)


def test_fifty_sales_are_valued_out_of_fold() -> None:
    rows = np.linspace(0, len(COUNTY.sales) - 1, 50).astype(np.int64)
    found = train(COUNTY.sales.take(rows), LAST_DAY)
    assert found.holdout.protocol.startswith("out of fold")
    assert np.allclose(found.holdout.price, COUNTY.sales.sale_price[rows][found.holdout.rows])
    assert cod(found.holdout.estimate / found.holdout.price) < 20


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


def test_prices_that_are_none_or_absurd_are_left_out_and_change_nothing_else() -> None:
    price = SMALL.sales.sale_price.copy()
    price[[3, 50, 90, 120]] = [-1.0, 0.0, np.nan, np.inf]
    price[[10, 60]] = [1.0, 1e12]
    found = train(replace(SMALL.sales, sale_price=price), LAST_DAY)
    assert found.excluded["no_price"].tolist() == [3, 50, 90, 120]
    assert found.excluded["implausible_price"].tolist() == [10, 60]
    ours, theirs = (m.predict(KNOWN.take(LATER)).estimate for m in (found, small_model()))
    assert np.median(np.abs(ours / theirs - 1)) < 0.03


def test_a_lot_that_was_sold_before_its_house_was_built_is_no_evidence_of_the_house() -> None:
    price, built = SMALL.sales.sale_price.copy(), SMALL.sales.characteristics.year_built.copy()
    price[[20, 21]] /= 6
    built[20] = 2030
    found = train(with_columns(replace(SMALL.sales, sale_price=price), year_built=built), LAST_DAY)
    assert found.excluded["sold_before_built"].tolist() == [20]
    assert found.excluded["implausible_price"].tolist() == [21]


def test_an_attribute_that_is_unknown_for_nine_in_ten_counts_where_it_is_known() -> None:
    """A view is written where there is one: its price is found all the same, and its absence is no flag."""
    view = COUNTY.sales.characteristics.numeric["view"]
    sparse = np.where(view > 0, 1.0, np.nan)
    found = train(with_columns(COUNTY.sales, numeric={"view": sparse}), ON)
    plain, viewed = (replace(one(500), numeric={"view": np.array([value])}) for value in (np.nan, 1.0))
    assert np.log(found.predict(viewed).estimate / found.predict(plain).estimate)[0] == pytest.approx(0.15, abs=0.05)
    assert "unknown_attribute" not in {flag.code for flag in found.explain(plain).flags}


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
    found = train(sales, LAST_DAY)
    assert cod(found.holdout.estimate / found.holdout.price) < 15
    unseen = replace(sales.characteristics.take(np.arange(3)), categorical={"wall": np.array(["mud", "", "wood"])})
    said = found.predict(replace(unseen, numeric={}))
    assert (said.low < said.estimate).all()
    assert (said.estimate < said.high).all()


def test_a_county_without_coordinates_or_neighborhoods_is_valued_by_its_characteristics() -> None:
    unknown = np.full(len(SMALL.sales), np.nan)
    nowhere = with_columns(SMALL.sales, longitude=unknown, latitude=unknown, neighborhood=np.full(len(SMALL.sales), ""))
    found = train(nowhere, LAST_DAY)
    told = found.explain(nowhere.characteristics.take(np.array([4])))
    assert "no_coordinates" in {flag.code for flag in told.flags}
    assert float(told.estimate) == pytest.approx(SMALL.truth[4], rel=0.5)


# the parts


def test_a_sales_own_measures_are_not_in_its_surroundings() -> None:
    generator = np.random.default_rng(1)
    position = np.repeat(generator.uniform(0, 3, (20, 2)), 8, axis=0)
    measures = generator.normal(size=(160, 1))
    around = Surroundings(position, measures, ("measure",)).around_sales()
    for row in (0, 17, 159):
        changed = measures.copy()
        changed[row] += 1000
        again = Surroundings(position, changed, ("measure",)).around_sales()
        assert np.array_equal(again[row], around[row])
        assert not np.array_equal(again, around)


@given(st.integers(0, 10_000), st.floats(0.8, 1.0))
@settings(max_examples=15)
def test_the_reconciliation_prefers_the_better_model_and_takes_out_level_and_price_bias(
    seed: int, drawn_in: float
) -> None:
    generator = np.random.default_rng(seed)
    price = generator.normal(12.5, 0.5, 2000)
    good = 12.5 + drawn_in * (price - 12.5) + 0.1 + generator.normal(0, 0.08, 2000)
    poor = price + generator.normal(0, 0.4, 2000)
    found = fit_reconciliation(np.column_stack([poor, good]), price)
    assert found.weights[1] >= 0.9
    value, paid = np.exp(found.reconcile(np.column_stack([poor, good]))), np.exp(price)
    assert np.median(value / paid) == pytest.approx(1, abs=0.005)
    assert abs(prb(value, paid)) <= max(0.011, 1.01 * abs(prb(np.exp(good), paid)))


def test_the_trees_learn_from_the_error_as_a_share_of_the_price() -> None:
    apart = np.linspace(-0.9, 0.9, 37)

    def loss(log_error: FloatArray) -> FloatArray:
        return np.asarray(0.1**2 * (np.sqrt(1 + (np.expm1(log_error) / 0.1) ** 2) - 1))

    data = xgboost.DMatrix(np.zeros((37, 1)), label=np.zeros(37))
    gradient, curvature = _relative_error(apart.astype(np.float32), data)
    assert gradient == pytest.approx((loss(apart + 1e-5) - loss(apart - 1e-5)) / 2e-5, abs=1e-4)
    assert (curvature > 0).all()
    # Twice the price is a worse error than half of it.
    assert gradient[-1] > -2 * gradient[0]


def test_the_reconciled_value_is_as_uniform_as_the_best_model_and_fairer_across_prices(model: TrainedModel) -> None:
    """The stretch may cost a little uniformity, for less price-related bias."""
    held = model.holdout
    best = min(held.components.values(), key=lambda value: cod(value / held.price))
    assert cod(held.estimate / held.price) <= 1.02 * cod(best / held.price)
    assert abs(prb(held.estimate, held.price)) <= max(0.03, abs(prb(best, held.price)))
    assert np.median(held.estimate / held.price) == pytest.approx(1, abs=0.02)
