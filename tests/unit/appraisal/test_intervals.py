"""Confidence intervals, the bootstrap, trimming and the signs of sales chasing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.appraisal import ratio_statistics as statistics
from shared.appraisal.bootstrap import bootstrap, statistics_of_counts
from shared.appraisal.distributions import median_interval_rank, student_t_quantile
from shared.appraisal.errors import AppraisalInputError
from shared.appraisal.intervals import (
    mean_interval,
    median_interval,
    percentile_interval,
    prb_interval,
    weighted_mean_interval,
)
from shared.appraisal.sales_chasing import chasing_signs
from shared.appraisal.trimming import trim_outliers
from tests.unit.appraisal.worked_examples import example


def sample(size: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    price = np.round(np.exp(generator.normal(12.5, 0.5, size)), -3)
    return price * np.exp(generator.normal(0, 0.15, size)), price


@pytest.mark.parametrize(
    ("probability", "degrees", "quantile"),
    [(0.975, 1, 12.7062047364), (0.975, 2, 4.30265272975), (0.975, 30, 2.04227245630), (0.95, 10, 1.81246112281)],
)
def test_students_quantiles_are_those_of_the_tables(probability: float, degrees: int, quantile: float) -> None:
    assert student_t_quantile(probability, degrees) == pytest.approx(quantile, abs=1e-9)
    assert student_t_quantile(1 - probability, degrees) == pytest.approx(-quantile, abs=1e-9)


@pytest.mark.parametrize(("size", "rank"), [(5, None), (6, 1), (8, 1), (9, 2), (10, 2), (20, 6), (100, 40)])
def test_the_medians_interval_has_the_ranks_of_the_sign_test(size: int, rank: int | None) -> None:
    assert median_interval_rank(size, 0.95) == rank


@given(st.integers(6, 300), st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_every_interval_holds_its_statistic_and_a_wider_one_holds_a_narrower(size: int, seed: int) -> None:
    estimate, price = sample(size, seed)
    ratio = estimate / price
    for narrow, wide, value in (
        (median_interval(ratio, 0.8), median_interval(ratio, 0.95), np.median(ratio)),
        (mean_interval(ratio, 0.8), mean_interval(ratio, 0.95), ratio.mean()),
        (
            weighted_mean_interval(estimate, price, 0.8),
            weighted_mean_interval(estimate, price, 0.95),
            estimate.sum() / price.sum(),
        ),
        (prb_interval(estimate, price, 0.8), prb_interval(estimate, price, 0.95), statistics.prb(estimate, price)),
    ):
        assert narrow is not None
        assert wide is not None
        assert wide.low <= narrow.low <= value <= narrow.high <= wide.high


@pytest.mark.parametrize("size", [7, 24, 60, 601, 4999, 16_384, 40_001])
def test_the_vectorised_bootstrap_is_the_statistics_of_the_resampled_sales(size: int) -> None:
    estimate, price = sample(size)
    generator = np.random.default_rng(7)
    counts = np.stack([np.bincount(generator.integers(0, size, size), minlength=size) for _ in range(4)])
    figures = statistics_of_counts(estimate, price, counts)
    for number, count in enumerate(counts):
        drawn = np.repeat(np.arange(size), count)
        e, p = estimate[drawn], price[drawn]
        expected = {
            "median": np.median(e / p),
            "mean": np.mean(e / p),
            "weighted_mean": e.sum() / p.sum(),
            "cod": statistics.cod(e / p),
            "cov": statistics.cov(e / p),
            "prd": statistics.prd(e, p),
            "mki": statistics.mki(e, p),
        }
        for name, value in expected.items():
            assert getattr(figures, name)[number] == pytest.approx(value, rel=1e-9)
        if size < 20:
            assert np.isnan(figures.vei[number])
            continue
        ratio = estimate / price
        low, high = (np.median(np.repeat(ratio[g], count[g])) for g in statistics.vei_groups(estimate, price))
        assert figures.vei[number] == pytest.approx(100 * (high - low) / np.median(e / p), rel=1e-9)


@pytest.mark.parametrize("size", [50, 16_384, 40_000])
def test_resampled_means_vary_as_the_means_of_random_samples_do(size: int) -> None:
    estimate, price = sample(size)
    ratio = estimate / price
    resampled = bootstrap(estimate, price, 600, seed=3)
    error = ratio.std() / np.sqrt(size)
    assert resampled.mean.std() == pytest.approx(error, rel=0.12)
    assert abs(resampled.mean.mean() - ratio.mean()) < 4 * error / np.sqrt(600)
    assert (np.diff(np.sort(resampled.mean)) > 0).all()  # no resample is another one again


def test_the_same_seed_gives_the_same_interval_and_another_seed_nearly_so() -> None:
    estimate, price = sample(400)
    first, again, other = (percentile_interval(bootstrap(estimate, price, 1000, seed).cod) for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert first is not None
    assert other is not None
    assert first.low == pytest.approx(other.low, rel=0.05)
    assert first.low < statistics.cod(estimate / price) < first.high


def test_the_bootstraps_interval_covers_about_as_often_as_it_says() -> None:
    generator = np.random.default_rng(11)
    price = np.full(120, 300_000.0) * np.exp(generator.normal(0, 0.4, 120))
    truth = 100 * 0.15 * np.sqrt(2 / np.pi)  # the COD of normal log errors, to first order
    covered = 0
    for seed in range(200):
        estimate = price * np.exp(np.random.default_rng(seed).normal(0, 0.15, 120))
        interval = percentile_interval(bootstrap(estimate, price, 200, seed).cod)
        covered += interval is not None and interval.low <= truth <= interval.high
    assert 0.88 <= covered / 200 <= 0.99


@pytest.mark.parametrize("iterations", [0, -1, 1.5, True, 100_001])
def test_an_impossible_number_of_resamples_is_refused(iterations: int) -> None:
    with pytest.raises(AppraisalInputError, match="iterations"):
        bootstrap(*sample(30), iterations)


def test_only_ratios_beyond_three_interquartile_ranges_are_trimmed() -> None:
    ratio = np.concatenate([np.linspace(0.9, 1.1, 41), [0.2, 3.0]])
    trimming = trim_outliers(ratio)
    assert set(ratio[~trimming.kept]) == {0.2, 3.0}
    assert (trimming.trimmed, trimming.beyond_fences, trimming.capped) == (2, 2, False)
    assert trim_outliers(np.linspace(0.9, 1.1, 41)).trimmed == 0


def test_no_more_than_a_tenth_is_trimmed_and_the_furthest_go_first() -> None:
    ratio = np.concatenate([np.linspace(0.99, 1.01, 80), np.linspace(5, 6, 20)])
    trimming = trim_outliers(ratio)
    assert trimming.beyond_fences == 20
    assert trimming.trimmed == 10
    assert trimming.capped
    assert set(ratio[~trimming.kept]) == set(np.linspace(5, 6, 20)[10:])


def test_revalued_sales_are_suspected_of_chasing_and_honest_ones_are_not() -> None:
    generator = np.random.default_rng(5)
    honest = np.exp(generator.normal(0, 0.15, 500))
    chased = np.where(generator.random(500) < 0.4, 1.0, honest)
    assert not chasing_signs(honest).suspected
    assert chasing_signs(chased).suspected
    assert chasing_signs(np.exp(generator.normal(0, 0.02, 500))).low_cod


@pytest.mark.parametrize(
    ("bounds", "gap", "argument"),
    [((0.98, 1.02), 0.0, "gap"), ((0.98, 1.02), 1.0, "gap"), ((1.02, 0.98), 0.03, "bounds"), ((1, 1), 0.03, "bounds")],
)
def test_impossible_settings_of_the_chasing_test_are_refused(
    bounds: tuple[float, float], gap: float, argument: str
) -> None:
    with pytest.raises(AppraisalInputError, match=argument):
        chasing_signs(example("iaao_table_1_1")[0], bounds, gap)
