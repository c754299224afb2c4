"""The ratio statistics against published values and against their own laws."""

from collections.abc import Callable
from dataclasses import asdict
from decimal import Decimal
from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.appraisal import ratio_statistics as statistics
from shared.appraisal.arrays import FloatArray
from shared.appraisal.bootstrap import bootstrap
from shared.appraisal.errors import AppraisalInputError
from shared.appraisal.ratio_study import Options, study
from shared.appraisal.sales_chasing import chasing_signs
from shared.appraisal.trimming import trim_outliers
from tests.unit.appraisal.worked_examples import EXAMPLES, MUST_REJECT, example

OF_BOTH: dict[str, Callable[[FloatArray, FloatArray], float]] = {
    "cod": lambda e, p: statistics.cod(e / p),
    "cov": lambda e, p: statistics.cov(e / p),
    "prd": statistics.prd,
    "prb": statistics.prb,
    "mki": statistics.mki,
    "ki": statistics.kakwani_index,
    "median_ratio": lambda e, p: statistics.median_ratio(e / p),
    "mean_ratio": lambda e, p: statistics.mean_ratio(e / p),
    "weighted_mean_ratio": statistics.weighted_mean_ratio,
    "vei": statistics.vei,
}
SCALE_FREE = ("cod", "cov", "prd", "prb", "mki", "vei")


@st.composite
def samples(draw: st.DrawFn) -> tuple[FloatArray, FloatArray]:
    size = draw(st.integers(20, 60))
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    price = np.round(np.exp(generator.normal(12.5, 0.6, size)), -3).astype(np.float64)
    estimate = price * np.exp(generator.normal(0, draw(st.floats(0.02, 0.5)), size))
    return np.asarray(np.round(estimate, -2) + 100, dtype=np.float64), price


@pytest.mark.parametrize("name", EXAMPLES)
def test_each_worked_example_has_the_published_and_the_full_precision_statistics(name: str) -> None:
    estimate, price = example(name)
    assert len(price) == EXAMPLES[name]["n"]
    for statistic, published in EXAMPLES[name]["published"].items():
        digits = -int(Decimal(str(published)).as_tuple().exponent)
        assert round(OF_BOTH[statistic](estimate, price), digits) == published
    for statistic, computed in EXAMPLES[name]["computed"].items():
        if statistic in OF_BOTH:
            assert OF_BOTH[statistic](estimate, price) == pytest.approx(computed, abs=1e-9, rel=0)
        elif computed is not None:
            assert (statistic, trim_outliers(estimate / price).beyond_fences) == ("n_outliers_iqr3", computed)


@given(samples(), st.floats(0.01, 100))
def test_measures_of_uniformity_do_not_depend_on_the_level_of_the_estimates(
    sample: tuple[FloatArray, FloatArray], factor: float
) -> None:
    estimate, price = sample
    for name in SCALE_FREE:
        assert OF_BOTH[name](estimate * factor, price) == pytest.approx(OF_BOTH[name](estimate, price), abs=1e-9)


@given(samples(), st.integers(0, 1000))
def test_the_order_of_the_sales_does_not_matter(sample: tuple[FloatArray, FloatArray], seed: int) -> None:
    estimate, price = sample
    mixed = np.random.default_rng(seed).permutation(len(price))
    for statistic in OF_BOTH.values():
        assert statistic(estimate[mixed], price[mixed]) == pytest.approx(statistic(estimate, price), abs=1e-9)


@st.composite
def tied_samples(draw: st.DrawFn) -> tuple[FloatArray, FloatArray]:
    """Sales of which many have one price, one estimate, or both."""
    prices = st.sampled_from([100_000.0, 150_000.0, 150_500.0, 200_000.0])
    estimates = st.sampled_from([90_000.0, 100_000.0, 140_000.0, 150_000.0, 210_000.0])
    pairs = draw(st.lists(st.tuples(estimates, prices), min_size=20, max_size=60))
    estimate, price = np.array(pairs).T
    return estimate, price


@given(tied_samples(), st.integers(0, 1000))
def test_nothing_of_a_study_depends_on_the_order_of_the_sales_however_many_are_alike(
    sample: tuple[FloatArray, FloatArray], seed: int
) -> None:
    estimate, price = sample
    mixed = np.random.default_rng(seed).permutation(len(price))
    options = Options(iterations=20)
    one, other = (study(e, p, None, options) for e, p in ((estimate, price), (estimate[mixed], price[mixed])))
    assert one.statistics.keys() == other.statistics.keys()
    for name, measured in one.statistics.items():
        again = other.statistics[name]
        assert again.value == pytest.approx(measured.value, rel=1e-9, abs=1e-9), name
        for bound in ("low", "high"):
            pair = (getattr(result.interval, bound, 0.0) for result in (measured, again))
            assert next(pair) == pytest.approx(next(pair), rel=1e-9, abs=1e-9, nan_ok=True), name
    assert asdict(one.chasing) == pytest.approx(asdict(other.chasing), rel=1e-9)
    assert (one.trimming.trimmed, one.notes) == (other.trimming.trimmed, other.notes)


def test_the_mki_of_tied_prices_is_the_mean_over_every_order_of_the_ties() -> None:
    price = np.array([100.0, 200.0, 200.0, 200.0, 300.0, 300.0, 450.0])
    estimate = np.array([90.0, 260.0, 150.0, 190.0, 280.0, 330.0, 400.0])
    items = []
    for middle, upper in product(permutations(range(1, 4)), permutations(range(4, 6))):
        order = np.array([0, *middle, *upper, 6])
        untied = price + np.argsort(order) * 1e-9  # what makes that order the only one
        items.append(statistics.kakwani_index(estimate, untied))
    assert statistics.kakwani_index(estimate, price) == pytest.approx(np.mean(items), abs=1e-9)
    assert max(items) - min(items) > 0.01


@given(samples())
def test_statistics_stay_within_their_bounds(sample: tuple[FloatArray, FloatArray]) -> None:
    estimate, price = sample
    ratio = estimate / price
    assert statistics.cod(ratio) >= 0
    assert ratio.min() <= statistics.median_ratio(ratio) <= ratio.max()
    assert ratio.min() <= statistics.weighted_mean_ratio(estimate, price) <= ratio.max()
    assert -1 <= statistics.kakwani_index(estimate, price) <= 1


def test_estimates_equal_to_the_prices_are_perfect_by_every_measure() -> None:
    price = np.linspace(100_000, 900_000, 40)
    perfect = {"cod": 0, "cov": 0, "prd": 1, "prb": 0, "mki": 1, "ki": 0, "vei": 0, "median_ratio": 1}
    for name, value in perfect.items():
        assert OF_BOTH[name](price, price) == pytest.approx(value, abs=1e-12)


def test_undervalued_expensive_homes_are_regressive_by_every_measure() -> None:
    price = np.linspace(100_000, 900_000, 60)
    estimate = price * np.linspace(1.2, 0.8, 60)
    assert statistics.prd(estimate, price) > 1.03
    assert statistics.prb(estimate, price) < -0.05
    assert statistics.mki(estimate, price) < 0.95
    assert statistics.vei(estimate, price) < -10


@pytest.mark.parametrize(("size", "groups"), [(20, 2), (50, 2), (51, 4), (500, 4), (501, 10)])
def test_the_vei_compares_groups_whose_number_depends_on_the_sample(size: int, groups: int) -> None:
    price = np.arange(1, size + 1, dtype=np.float64)
    lowest, highest = statistics.vei_groups(price, price)
    assert len(lowest) in (size // groups, size // groups + 1)
    assert price[lowest].max() < price[highest].min()


GOOD = np.array([100.0, 200.0, 300.0])


@pytest.mark.parametrize(
    ("estimate", "price", "argument"),
    [
        (GOOD, np.array([100.0, 200.0, 300.0, 400.0]), "sale_price"),
        (np.array([0.0, 1, 2]), GOOD, "estimate"),
        (GOOD, np.array([1.0, -1, 2]), "sale_price"),
        (np.array([]), np.array([]), "estimate"),
        (GOOD[:1], GOOD[:1], "estimate"),
        (np.array([1.0, np.inf, 2]), GOOD, "estimate"),
        (GOOD, np.array([1.0, np.nan, 2]), "sale_price"),
        (np.array(["1", "2", "3"]), GOOD, "estimate"),
        (["1", 2, 3], GOOD, "estimate"),
        (np.array([None, 2, 3], dtype=object), GOOD, "estimate"),
        (GOOD[:, None], GOOD, "estimate"),
        (np.array([True, True, True]), GOOD, "estimate"),
    ],
    ids=["lengths", "zeros", "negatives", "empty", "one", "infinite", "nan", "strings", "text", "none", "2d", "bool"],
)
def test_what_no_ratio_can_be_made_of_is_refused_by_name(
    estimate: FloatArray, price: FloatArray, argument: str
) -> None:
    for function in (statistics.prd, statistics.prb, statistics.mki, statistics.vei, statistics.weighted_mean_ratio):
        with pytest.raises(AppraisalInputError) as refusal:
            function(estimate, price)
        assert refusal.value.argument == argument
        assert argument in str(refusal.value)


def test_decimals_are_numbers() -> None:
    prices = [Decimal("100000.00"), Decimal("200000.00")]
    assert statistics.weighted_mean_ratio(prices, prices) == 1.0  # type: ignore[arg-type]


GOOD_TABLE = example("iaao_table_1_1")


def _with(value: float) -> FloatArray:
    changed = GOOD_TABLE[0].copy()
    changed[3] = value
    return changed


REFUSED: dict[str, list[Callable[[], object]]] = {
    "different lengths": [lambda: study(GOOD_TABLE[0][1:], GOOD_TABLE[1])],
    "zeros": [lambda: study(_with(0.0), GOOD_TABLE[1]), lambda: study(GOOD_TABLE[0], _with(0.0))],
    "negatives": [lambda: study(_with(-1.0), GOOD_TABLE[1]), lambda: study(GOOD_TABLE[0], _with(-1.0))],
    "empty": [lambda: study([], []), lambda: bootstrap([], [])],
    "length 1": [lambda: study([1.0], [1.0]), lambda: bootstrap([1.0], [1.0])],
    "infinite": [lambda: study(_with(np.inf), GOOD_TABLE[1]), lambda: study(GOOD_TABLE[0], _with(np.inf))],
    "NaN": [lambda: study(_with(np.nan), GOOD_TABLE[1]), lambda: study(GOOD_TABLE[0], _with(np.nan))],
    "strings": [lambda: study(GOOD_TABLE[0].astype(str), GOOD_TABLE[1])],
    "nboot<=0": [
        lambda: study(*GOOD_TABLE, options=Options(iterations=0)),
        lambda: study(*GOOD_TABLE, options=Options(iterations=-1)),
    ],
    "chasing: gap outside (0,1) or bounds not increasing": [
        lambda: chasing_signs(GOOD_TABLE[0], gap=0.0),
        lambda: chasing_signs(GOOD_TABLE[0], gap=1.0),
        lambda: chasing_signs(GOOD_TABLE[0], bounds=(1.02, 0.98)),
        lambda: chasing_signs(GOOD_TABLE[0], bounds=(1.0, 1.0)),
    ],
}


@pytest.mark.parametrize("words", MUST_REJECT)
def test_everything_that_must_be_rejected_is_refused_by_a_whole_study(words: str) -> None:
    for attempt in REFUSED[words]:
        with pytest.raises(AppraisalInputError):
            attempt()
