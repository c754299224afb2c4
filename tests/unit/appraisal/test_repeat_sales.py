"""The index of properties sold twice, against its sources' own arithmetic and against markets that are known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.appraisal.errors import AppraisalInputError
from shared.appraisal.repeat_sales import Pairs, pair_sales, repeat_sales_index

MONTHS = 24


def market(seed: int, size: int = 1500, noise: float = 0.06, drift: float = 0.0) -> tuple[Pairs, np.ndarray]:
    """Pairs from a random walk of log prices; each pair's error grows with its span by `drift` a month."""
    generator = np.random.default_rng(seed)
    level = np.concatenate([[0.0], np.cumsum(generator.normal(0.004, 0.01, MONTHS - 1))])
    first = generator.integers(0, MONTHS - 6, size)
    second = np.minimum(first + generator.integers(6, MONTHS, size), MONTHS - 1)
    deviation = np.sqrt(noise**2 + drift**2 * (second - first))
    change = level[second] - level[first] + generator.normal(0, 1, size) * deviation
    return Pairs(first.astype(np.int64), second.astype(np.int64), change), level


def dense(pairs: Pairs, months: np.ndarray) -> np.ndarray:
    """The regression's matrix as Bailey, Muth and Nourse write it."""
    enters = (pairs.second_month[:, None] == months[None, 1:]).astype(np.float64)
    return np.asarray(enters - (pairs.first_month[:, None] == months[None, 1:]))


def test_with_two_months_the_index_is_the_geometric_mean_of_the_price_relatives() -> None:
    relatives = np.random.default_rng(1).uniform(0.9, 1.4, 40)
    pairs = Pairs(np.full(40, 5), np.full(40, 17), np.log(relatives))
    index = repeat_sales_index(pairs, "none")
    assert list(index.month) == [5, 17]
    assert index.index[1] == pytest.approx(100 * np.exp(np.log(relatives).mean()))
    expected = index.index[1] * np.log(relatives).std(ddof=1) / np.sqrt(40)
    assert index.standard_error[1] == pytest.approx(expected)


def test_the_unweighted_index_is_ordinary_least_squares_with_its_standard_errors() -> None:
    pairs, _ = market(3)
    index = repeat_sales_index(pairs, "none")
    matrix = dense(pairs, index.month)
    beta, residual, *_ = np.linalg.lstsq(matrix, pairs.change, rcond=None)
    variance = residual[0] / (len(pairs) - matrix.shape[1])
    error = np.sqrt(variance * np.diag(np.linalg.inv(matrix.T @ matrix)))
    assert np.allclose(index.index[1:], 100 * np.exp(beta), rtol=1e-9)
    assert np.allclose(index.standard_error[1:], index.index[1:] * error, rtol=1e-9)
    assert (index.index[0], index.standard_error[0]) == (100.0, 0.0)


def test_the_weighted_index_follows_case_and_shillers_three_steps() -> None:
    pairs, _ = market(4, drift=0.04)
    index = repeat_sales_index(pairs)
    matrix = dense(pairs, index.month)
    first_step = pairs.change - matrix @ np.linalg.lstsq(matrix, pairs.change, rcond=None)[0]
    span = np.column_stack([np.ones(len(pairs)), pairs.second_month - pairs.first_month])
    predicted = span @ np.linalg.lstsq(span, first_step**2, rcond=None)[0]
    assert predicted.min() > 0.05 * np.mean(first_step**2)  # no prediction was so small that it was raised
    root = np.sqrt(1 / predicted)
    beta = np.linalg.lstsq(matrix * root[:, None], pairs.change * root, rcond=None)[0]
    assert np.allclose(index.index[1:], 100 * np.exp(beta), rtol=1e-9)


@given(st.integers(0, 10_000))
@settings(max_examples=25)
def test_a_known_market_is_found_within_its_standard_errors(seed: int) -> None:
    pairs, level = market(seed, drift=0.02)
    index = repeat_sales_index(pairs)
    truth = 100 * np.exp(level[index.month] - level[index.month[0]])
    away = (index.index[1:] - truth[1:]) / index.standard_error[1:]
    assert np.abs(away).max() < 5
    assert np.mean(away**2) < 8  # the errors are common to the months, so they scatter together


def test_standard_errors_cover_the_truth_as_often_as_they_say() -> None:
    covered = []
    for seed in range(150):
        pairs, level = market(seed, size=300, drift=0.02)
        index = repeat_sales_index(pairs)
        truth = 100 * np.exp(level[index.month[-1]] - level[index.month[0]])
        covered.append(abs(index.index[-1] - truth) <= 1.96 * index.standard_error[-1])
    assert 0.88 <= np.mean(covered) <= 0.99


def test_months_that_no_pair_joins_to_the_others_have_no_index() -> None:
    pairs, _ = market(5)
    apart = Pairs(
        np.concatenate([pairs.first_month, [100, 101]]),
        np.concatenate([pairs.second_month, [110, 110]]),
        np.concatenate([pairs.change, [0.5, 0.4]]),
    )
    index = repeat_sales_index(apart)
    assert index.month.max() < 100
    assert index.pairs == len(pairs)
    assert np.array_equal(index.index, repeat_sales_index(pairs).index)


def test_too_few_resales_are_refused_with_both_numbers() -> None:
    pairs, _ = market(6, size=29)
    with pytest.raises(AppraisalInputError, match=r"at least 30 .* and there are 2\d"):
        repeat_sales_index(pairs)
    none = np.zeros(0, dtype=np.int64)
    with pytest.raises(AppraisalInputError, match="there are 0"):
        repeat_sales_index(Pairs(none, none, np.zeros(0)))


def test_resales_at_the_same_price_are_a_still_market() -> None:
    pairs, _ = market(7)
    index = repeat_sales_index(Pairs(pairs.first_month, pairs.second_month, np.zeros(len(pairs))))
    assert np.allclose(index.index, 100)
    assert np.allclose(index.standard_error, 0)


def test_each_sale_is_paired_with_the_next_of_its_property_and_quick_resales_with_none() -> None:
    name = np.array(["A", "B", "A", "A", "B", "C"])
    day = np.array([1000, 1010, 1100, 1400, 1500, 1600])
    price = np.array([100.0, 200, 150, 300, 220, 500])
    pairs = pair_sales(name, day, day // 30, price)
    assert sorted(zip(pairs.first_month, pairs.second_month, np.exp(pairs.change).round(6), strict=True)) == [
        (33, 50, 1.1),
        (36, 46, 2.0),
    ]
    with pytest.raises(AppraisalInputError, match="sale_price"):
        pair_sales(name, day, day // 30, price - 100)
