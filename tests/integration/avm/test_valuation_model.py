"""The automated valuation model, on counties whose prices are known."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.appraisal import comparables
from shared.appraisal.avm.ensemble import fit_ensemble
from shared.appraisal.avm.model import TrainedModel
from shared.appraisal.errors import AppraisalInputError
from shared.appraisal.models import Model
from shared.appraisal.ratio_statistics import cod, prb
from tests.integration.avm.known_counties import COUNTY, KNOWN, LATER, ON, SMALL, one, small_model
from tests.synthetic_county import ANNUAL_TREND, LAST_DAY


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
    predicted = model.value(KNOWN.take(LATER))
    truth = np.array([later_value(int(row)) for row in LATER])
    reconciled = cod(predicted.predictions.estimate / truth)
    assert reconciled < 4.5
    assert np.median(predicted.predictions.estimate / truth) == pytest.approx(1, abs=0.02)
    assert all(reconciled < cod(value / truth) + 0.3 for value in predicted.components.values())


def test_the_interval_holds_about_eight_in_ten_later_sales(model: TrainedModel) -> None:
    predicted = model.predict(KNOWN.take(LATER))
    price = COUNTY.sales.sale_price[LATER] * np.array([later_value(int(row)) / COUNTY.truth[row] for row in LATER])
    assert 0.7 <= np.mean((predicted.low <= price) & (price <= predicted.high)) <= 0.9
    assert predicted.confidence.mean() == pytest.approx(np.mean(np.abs(price / predicted.estimate - 1) <= 0.1), abs=0.1)


def test_difficulty_is_counted_alike_whatever_a_fit_makes_of_distance(monkeypatch: pytest.MonkeyPatch) -> None:
    raw, counted = [], []
    for length in (0.35, 4.0):
        monkeypatch.setattr(comparables, "SIMILARITY_LENGTHS_KM", (length, length))
        ensemble, _ = fit_ensemble(SMALL.sales, LAST_DAY, 0)
        predicted = ensemble.evaluate(KNOWN.take(LATER))
        raw.append(np.median(predicted.comparables.difficulty[:, 1]))
        counted.append(np.median(predicted.difficulty[:, 1:3], axis=0))
    assert raw[1] < 0.7 * raw[0]
    assert np.allclose(counted, 1.0, atol=0.3)


def test_the_hold_out_values_the_latest_fifth_by_models_of_the_sales_before(model: TrainedModel) -> None:
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
    predicted = small_model().value(subject, on)
    assert predicted.contributions.base + predicted.contributions.dollars.sum() == pytest.approx(
        predicted.predictions.estimate[0], rel=1e-12
    )
    appraisal = small_model().explain(subject, on)
    assert appraisal.base + sum(part.amount for part in appraisal.contributions) == appraisal.estimate
    assert appraisal.low < appraisal.estimate < appraisal.high
    assert float(appraisal.estimate) == pytest.approx(predicted.predictions.estimate[0], abs=0.01)


def test_the_grid_adds_up_and_reconciles_to_the_comparable_sales_value(model: TrainedModel) -> None:
    for on in (None, ON + 90):
        appraisal = model.explain(one(int(LATER[3])), on)
        assert len(appraisal.comparables) == 15
        for comparable in appraisal.comparables:
            steps = sum((step.amount for step in comparable.adjustments), Decimal(0))
            assert comparable.sale_price + steps == comparable.adjusted_price
            assert COUNTY.sales.sale_price[comparable.row] == pytest.approx(float(comparable.sale_price))
        reconciled = sum(float(c.adjusted_price) * c.weight for c in appraisal.comparables)
        assert float(appraisal.components["comparable_sales"]) == pytest.approx(reconciled, rel=1e-4)


@pytest.mark.parametrize(
    ("shift", "code"), [(-0.5, "comparables_above_value"), (0.0, ""), (0.5, "comparables_below_value")]
)
def test_a_value_that_its_comparables_speak_against_says_so_with_the_figures(
    model: TrainedModel, shift: float, code: str
) -> None:
    ensemble = model.ensemble
    moved = replace(ensemble.reconciliation, shift=ensemble.reconciliation.shift + shift)
    appraisal = replace(model, ensemble=replace(ensemble, reconciliation=moved)).explain(one(int(LATER[3])))
    flags = {flag.code: flag.text for flag in appraisal.flags if flag.code.startswith("comparables_")}
    assert set(flags) == ({code, "comparables_outside_interval"} if code else set())
    prices = [comparable.adjusted_price for comparable in appraisal.comparables]
    for text in flags.values():
        for figure in (min(prices), max(prices), appraisal.components["comparable_sales"], appraisal.estimate):
            assert f"${figure:,.0f}" in text
        for name, weight in model.weights.items():
            assert (f"{name.replace('_', ' ')} $" in text) == (weight > 0)


def test_the_comparables_of_many_are_those_of_each(model: TrainedModel) -> None:
    several = model.value(KNOWN.take(LATER[:4]))
    appraisal = model.explain(one(int(LATER[2])))
    assert [c.row for c in appraisal.comparables] == several.comparables.rows[2].tolist()
    assert several.comparables.weight.sum(axis=1) == pytest.approx(np.ones(4))


def test_many_properties_are_valued_in_parts_as_one(model: TrainedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    subjects = replace(KNOWN, living_area_sqft=np.where(np.arange(len(KNOWN)) < 60, np.nan, KNOWN.living_area_sqft))
    whole = model.value(subjects)
    monkeypatch.setattr("shared.appraisal.avm.model._BATCH_SIZE", 300)
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


def test_the_reconciled_value_is_as_uniform_as_the_best_model_and_fairer_across_prices(model: TrainedModel) -> None:
    """The vertical equity scale may cost a little uniformity, for less price-related bias."""
    held = model.holdout
    best = min(held.components.values(), key=lambda value: cod(value / held.price))
    assert cod(held.estimate / held.price) <= 1.02 * cod(best / held.price)
    assert abs(prb(held.estimate, held.price)) <= max(0.03, abs(prb(best, held.price)))
    assert np.median(held.estimate / held.price) == pytest.approx(1, abs=0.02)
