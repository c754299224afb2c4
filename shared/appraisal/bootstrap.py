"""A vectorised, seeded bootstrap of the ratio statistics.

Resampling n sales with replacement is drawing how often each sale appears, so each resample is a row of counts
over the sales in price order. COD, COV, PRD and MKI then are sums weighted with the counts: one matrix product
for a block of resamples. A median is found by counting in ratio order, in a window around the sample's median
that no resample leaves. Blocks are small enough to stay in the processor's cache whatever n is.

VEI: the groups are those of the sample; only their membership is resampled.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from shared.appraisal.arrays import FloatArray, FloatLike, IntArray, sales_pair
from shared.appraisal.errors import AppraisalInputError
from shared.appraisal.ratio_statistics import FEWEST_FOR_VEI, price_order, vei_groups

DEFAULT_ITERATIONS = 1000
DEFAULT_SEED = 20130401
MOST_ITERATIONS = 100_000
_CELLS_A_BLOCK = 400_000
_ROW_BY_ROW_FROM = 4096
_WINDOW_DEVIATIONS = 9.0


@dataclass(frozen=True)
class Resamples:
    """Each statistic of each resample; arrays of shape (iterations,).

    NaN where a resample has no such statistic: MKI when all its prices are one value, VEI when one of its
    groups came up empty or the sample has fewer than 20 sales.
    """

    median: FloatArray
    mean: FloatArray
    weighted_mean: FloatArray
    cod: FloatArray
    cov: FloatArray
    prd: FloatArray
    mki: FloatArray
    vei: FloatArray


def bootstrap(
    estimate: FloatLike,
    sale_price: FloatLike,
    iterations: int = DEFAULT_ITERATIONS,
    seed: int = DEFAULT_SEED,
) -> Resamples:
    """The statistics of `iterations` resamples of the sales; the same seed gives the same resamples."""
    estimates, prices = sales_pair(estimate, sale_price)
    _check_iterations(iterations)
    sample = _Sample(estimates, prices)
    generator = np.random.default_rng(seed)
    blocks = [sample.statistics(counts) for counts in _counts(generator, estimates.size, iterations)]
    return Resamples(*(np.concatenate(column) for column in zip(*blocks, strict=True)))


def statistics_of_counts(estimate: FloatLike, sale_price: FloatLike, counts: IntArray) -> Resamples:
    """The statistics of given resamples: counts[i, j] says how often resample i holds sale j (input order)."""
    estimates, prices = sales_pair(estimate, sale_price)
    order = price_order(estimates, prices)
    return Resamples(*_Sample(estimates, prices).statistics(counts[:, order]))


def _check_iterations(iterations: int) -> None:
    if isinstance(iterations, bool) or not isinstance(iterations, int | np.integer):
        raise AppraisalInputError("iterations", f"must be a whole number, not {iterations!r}")
    if not 1 <= iterations <= MOST_ITERATIONS:
        raise AppraisalInputError("iterations", f"must lie between 1 and {MOST_ITERATIONS}, not {iterations}")


def _counts(generator: np.random.Generator, size: int, iterations: int) -> Iterator[IntArray]:
    """Blocks of rows of counts; every row sums to `size`. A block is overwritten by the next one."""
    rows = max(1, min(iterations, _CELLS_A_BLOCK // size))
    block = np.empty((rows, size), dtype=np.int64)
    for start in range(0, iterations, rows):
        height = min(rows, iterations - start)
        if size >= _ROW_BY_ROW_FROM:
            for row in range(height):
                block[row] = np.bincount(generator.integers(0, size, size), minlength=size)
            yield block[:height]
        else:
            picked = generator.integers(0, size, (height, size))
            picked += np.arange(height)[:, None] * size
            yield np.bincount(picked.ravel(), minlength=height * size).reshape(height, size)


class _Middle:
    """Finds the median ratio of a group of sales in every row of counts, by counting in ratio order.

    `below` and `members` are columns for the matrix product: the count of the group's sales before the window,
    and of all of them.
    """

    def __init__(self, ratio: FloatArray, members: IntArray) -> None:
        ordered = members[np.argsort(ratio[members], kind="stable")]
        window = _window(ordered.size)
        self.positions = ordered[window]
        self.ratio = ratio[self.positions]
        self.below = np.zeros(ratio.size)
        self.below[ordered[: window.start]] = 1.0
        self.members = np.zeros(ratio.size)
        self.members[ordered] = 1.0

    def find(
        self, weights: FloatArray, below: FloatArray, total: FloatArray
    ) -> tuple[FloatArray, FloatArray, IntArray]:
        """(medians, drawn counts in the window, index in the window of the lower middle) of each row."""
        drawn = weights[:, self.positions]
        reached = np.cumsum(drawn, axis=1)
        reached += below[:, None]
        last = self.positions.size - 1
        lower = np.minimum((reached < np.floor((total + 1) / 2)[:, None]).sum(axis=1), last)
        upper = np.minimum((reached < (np.floor(total / 2) + 1)[:, None]).sum(axis=1), last)
        median = np.where(total > 0, (self.ratio[lower] + self.ratio[upper]) / 2.0, np.nan)
        return median, drawn, lower


def _window(size: int) -> slice:
    """The ranks in which the median of any resample of `size` ordered values lies."""
    if size < _ROW_BY_ROW_FROM:
        return slice(0, size)
    # How many draws fall below a rank is binomial: half the root of n is its standard deviation.
    reach = int(_WINDOW_DEVIATIONS * 0.5 * np.sqrt(size)) + 2
    return slice(size // 2 - reach, size // 2 + reach)


class _Sample:
    """One sample, laid out so that statistics of many resamples are matrix products."""

    def __init__(self, estimates: FloatArray, prices: FloatArray) -> None:
        order = price_order(estimates, prices)
        self.size = estimates.size
        estimate, price = estimates[order], prices[order]
        ratio = estimate / price
        deviation = ratio - ratio.mean()
        self.money = np.column_stack([estimate, price])
        self.middle = _Middle(ratio, np.arange(self.size))
        self.outer = [_Middle(ratio, group) for group in self._groups(estimate, price)]
        columns = [ratio, deviation, deviation * deviation, estimate, price]
        columns += [self.middle.below, self.middle.below * ratio]
        for group in self.outer:
            columns += [group.below, group.members]
        self.columns = np.column_stack(columns)
        self._weights = self._real = np.empty((0, self.size))
        self._whole = np.empty((0, self.size), dtype=np.int64)

    def _make_room(self, rows: int) -> None:
        """Buffers for `rows` rows, kept from block to block: fresh ones would cost more than the arithmetic."""
        if len(self._weights) < rows:
            self._weights = np.empty((rows, self.size))
            self._real = np.empty((rows, self.size))
            self._whole = np.empty((rows, self.size), dtype=np.int64)

    @staticmethod
    def _groups(estimate: FloatArray, price: FloatArray) -> tuple[IntArray, ...]:
        return vei_groups(estimate, price) if estimate.size >= FEWEST_FOR_VEI else ()

    def statistics(self, counts: IntArray) -> tuple[FloatArray, ...]:
        """(median, mean, weighted mean, COD, COV, PRD, MKI, VEI), each of shape (len(counts),)."""
        self._make_room(len(counts))
        weights = self._weights[: len(counts)]
        weights[:] = counts
        sums = (weights @ self.columns).T
        ratio_sum, deviation_sum, squares, estimate_sum, price_sum = sums[:5]
        median, absolute = self._median_and_deviation(weights, sums)
        mean = ratio_sum / self.size
        weighted = estimate_sum / price_sum
        variance = np.maximum(squares - deviation_sum**2 / self.size, 0.0) / (self.size - 1)
        return (
            median,
            mean,
            weighted,
            100.0 * absolute / self.size / median,
            100.0 * np.sqrt(variance) / mean,
            mean / weighted,
            self._mki(counts, sums[3:5].T),
            self._vei(weights, sums, median),
        )

    def _median_and_deviation(self, weights: FloatArray, sums: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The median of each resample and its sum of absolute deviations from it."""
        ratio_sum, below, below_ratio = sums[0], sums[5], sums[6]
        total = np.full(len(weights), float(self.size))
        median, drawn, lower = self.middle.find(weights, below, total)
        up_to = np.arange(drawn.shape[1]) <= lower[:, None]
        count = below + (drawn * up_to).sum(axis=1)
        weighted = below_ratio + (drawn * up_to) @ self.middle.ratio
        return median, ratio_sum - 2.0 * weighted + median * (2.0 * count - self.size)

    def _mki(self, counts: IntArray, totals: FloatArray) -> FloatArray:
        # A sale drawn c times takes the ranks S - c + 1 to S, whose mean is (2 S - c + 1) / 2.
        rank, ranked_weight = self._whole[: len(counts)], self._real[: len(counts)]
        np.cumsum(counts, axis=1, out=rank)
        rank *= 2
        rank -= counts
        rank *= counts
        ranked_weight[:] = rank
        ranked = 0.5 * (ranked_weight @ self.money + totals)
        concentration = (2.0 * ranked / totals - (self.size + 1)) / self.size
        gini = np.where(concentration[:, 1] > 1e-12, concentration[:, 1], np.nan)
        return np.asarray(concentration[:, 0] / gini)

    def _vei(self, weights: FloatArray, sums: FloatArray, median: FloatArray) -> FloatArray:
        if not self.outer:
            return np.full(len(weights), np.nan)
        lowest, highest = (
            group.find(weights, sums[7 + 2 * number], sums[8 + 2 * number])[0]
            for number, group in enumerate(self.outer)
        )
        return np.asarray(100.0 * (highest - lowest) / median)
