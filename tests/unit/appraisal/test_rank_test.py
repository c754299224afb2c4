"""Two samples compared by their ranks, and what that says of sales chasing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.appraisal.errors import AppraisalInputError
from shared.appraisal.rank_test import mann_whitney
from shared.appraisal.sales_chasing import compare_changes, compare_periods

VALUES = st.lists(st.integers(0, 30).map(float), min_size=10, max_size=40)


def test_a_worked_example_has_the_textbooks_statistic() -> None:
    # 1 to 10 against 11 to 20: U = 0, mean 50, variance 10 * 10 * 21 / 12 = 175
    result = mann_whitney(np.arange(1.0, 11), np.arange(11.0, 21))
    assert result.z == pytest.approx(-(50 - 0.5) / np.sqrt(175))
    assert result.p_value == pytest.approx(0.000182672, abs=1e-8)


@given(VALUES, VALUES)
def test_swapping_the_samples_turns_the_sign_and_scale_does_not_matter(first: list[float], second: list[float]) -> None:
    one, other = mann_whitney(first, second), mann_whitney(second, first)
    assert one.z == pytest.approx(-other.z)
    assert one.p_value == pytest.approx(other.p_value)
    assert 0 <= one.p_value <= 1
    scaled = mann_whitney(np.array(first) * 3 + 1, np.array(second) * 3 + 1)
    assert scaled.z == pytest.approx(one.z)


@given(VALUES)
def test_a_sample_is_like_itself(values: list[float]) -> None:
    assert mann_whitney(values, values).p_value == 1.0


def test_samples_of_one_distribution_are_told_apart_as_rarely_as_the_level_says() -> None:
    generator = np.random.default_rng(1)
    result = [mann_whitney(generator.integers(0, 20, 60), generator.integers(0, 20, 80)).p_value for _ in range(600)]
    assert np.mean(np.array(result) < 0.05) == pytest.approx(0.05, abs=0.025)


def test_few_or_unknown_values_are_refused() -> None:
    with pytest.raises(AppraisalInputError, match="first"):
        mann_whitney(np.ones(9), np.ones(20))
    with pytest.raises(AppraisalInputError, match="second"):
        mann_whitney(np.ones(20), np.full(20, np.nan))


def test_sold_properties_revalued_otherwise_than_unsold_ones_are_suspicious() -> None:
    generator = np.random.default_rng(2)
    unsold = 1.04 * np.exp(generator.normal(0, 0.05, 3000))
    chased = compare_changes(1.15 * np.exp(generator.normal(0, 0.08, 200)), unsold)
    assert chased is not None
    assert chased.suspicious
    assert chased.difference == pytest.approx(0.11, abs=0.03)
    # beyond chance in a large county, and too small to matter
    slight = compare_changes(1.05 * np.exp(generator.normal(0, 0.05, 3000)), unsold)
    assert slight is not None
    assert slight.p_value < 0.05
    assert not slight.suspicious
    assert compare_changes([1.1] * 9, unsold) is None


def test_ratios_that_fall_away_after_the_valuation_date_are_suspicious() -> None:
    generator = np.random.default_rng(3)
    after = np.exp(generator.normal(np.log(0.88), 0.15, 300))
    chased = compare_periods(np.exp(generator.normal(0, 0.02, 300)), after)
    assert chased is not None
    assert chased.suspicious
    honest = compare_periods(np.exp(generator.normal(np.log(0.88), 0.15, 300)), after)
    assert honest is not None
    assert not honest.suspicious
