"""A vectorised, seeded bootstrap of the ratio statistics.

Resampling n sales with replacement is drawing how often each sale appears, so each resample is a row of counts
over the sales in price order. COD, COV, PRD and MKI then are sums weighted with the counts: matrix products for a
block of resamples. A median is found by counting in ratio order, in a window around the sample's median that no
resample leaves.

Many sales are dealt with chunk by chunk: how many draws fall into each chunk is multinomial, and within a chunk every
sale is as likely as another, which is the same distribution as drawing from all of them. So counts, sums and columns
stay in the processor's cache, and memory is bounded whatever n is.

VEI: the groups are those of the sample; only their membership is resampled.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.appraisal.arrays import FloatArray, FloatLike, IntArray, sales_pair
from shared.appraisal.errors import AppraisalInputError
from shared.appraisal.parameters import (
    BOOTSTRAP_ITERATIONS,
    BOOTSTRAP_SEED,
    MAX_BOOTSTRAP_ITERATIONS,
    MIN_SALES_FOR_VERTICAL_EQUITY,
)
from shared.appraisal.ratio_statistics import price_order, tied_ranks, vei_groups

_CHUNK_BITS = 14
_CHUNK = 2**_CHUNK_BITS
_BLOCK_CELLS = 131_072
_MIN_WINDOWED_SIZE = 4096
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
    iterations: int = BOOTSTRAP_ITERATIONS,
    seed: int = BOOTSTRAP_SEED,
) -> Resamples:
    """The statistics of `iterations` resamples of the sales; the same seed gives the same resamples."""
    estimates, prices = sales_pair(estimate, sale_price)
    _check_iterations(iterations)
    sample = _Sample(estimates, prices)
    generator = np.random.default_rng(seed)
    rows = max(1, min(iterations, _BLOCK_CELLS // min(sample.size, _CHUNK)))
    blocks = [
        sample.statistics(_draw(generator, sample.chunks, min(rows, iterations - start)))
        for start in range(0, iterations, rows)
    ]
    return Resamples(*(np.concatenate(column) for column in zip(*blocks, strict=True)))


def statistics_of_counts(estimate: FloatLike, sale_price: FloatLike, counts: IntArray) -> Resamples:
    """The statistics of given resamples: counts[i, j] says how often resample i holds sale j (input order)."""
    estimates, prices = sales_pair(estimate, sale_price)
    ordered = counts[:, price_order(estimates, prices)]
    sample = _Sample(estimates, prices)
    return Resamples(*sample.statistics(ordered[:, chunk] for chunk in sample.chunks))


def _check_iterations(iterations: int) -> None:
    if isinstance(iterations, bool) or not isinstance(iterations, int | np.integer):
        raise AppraisalInputError("iterations", f"must be a whole number, not {iterations!r}")
    if not 1 <= iterations <= MAX_BOOTSTRAP_ITERATIONS:
        raise AppraisalInputError("iterations", f"must lie between 1 and {MAX_BOOTSTRAP_ITERATIONS}, not {iterations}")


def _draw(generator: np.random.Generator, chunks: Sequence[slice], rows: int) -> Iterator[IntArray]:
    """The counts of `rows` resamples, chunk by chunk; over all chunks every row sums to the number of sales.

    A block is overwritten by the next one.
    """
    sizes = np.array([chunk.stop - chunk.start for chunk in chunks])
    total = int(sizes.sum())
    if len(chunks) == 1:
        picked = generator.integers(0, total, (rows, total))
        picked += np.arange(rows)[:, None] * total
        yield np.bincount(picked.ravel(), minlength=rows * total).reshape(rows, total)
        return
    shares = generator.multinomial(total, sizes / total, rows)
    block = np.empty((rows, int(sizes.max())), dtype=np.int64)
    for number, size in enumerate(sizes):
        for row in range(rows):
            block[row, :size] = np.bincount(_picks(generator, int(size), int(shares[row, number])), minlength=size)
        yield block[:, :size]


def _picks(generator: np.random.Generator, size: int, count: int) -> NDArray[np.integer[Any]]:
    """`count` numbers below `size`, each as likely as another."""
    if size != _CHUNK:
        return generator.integers(0, size, count)
    # A whole chunk is a power of two: its numbers are the generator's own bits, four of 16 in each word.
    words = np.asarray(generator.bit_generator.random_raw(count // 4 + 1))
    return words.view(np.uint16)[:count] >> np.uint16(16 - _CHUNK_BITS)


class _Middle:
    """Finds the median ratio of a group of sales in every resample, by counting in ratio order.

    Only a window of ranks around the group's own median is looked at; `before` marks the group's sales below it.
    """

    def __init__(self, ratio: FloatArray, members: IntArray, chunks: Sequence[slice]) -> None:
        ordered = members[np.argsort(ratio[members], kind="stable")]
        window = _window(ordered.size)
        positions = ordered[window]
        self.ratio = ratio[positions]
        self.before = np.zeros(ratio.size)
        self.before[ordered[: window.start]] = 1.0
        self.members = np.zeros(ratio.size)
        self.members[ordered] = 1.0
        self.neighborhood_centers = [np.flatnonzero((positions >= c.start) & (positions < c.stop)) for c in chunks]
        """For each chunk, which places of the window its sales have, and where in the chunk those sales are."""
        self.locals = [
            positions[neighborhood_centers] - c.start
            for neighborhood_centers, c in zip(self.neighborhood_centers, chunks, strict=True)
        ]

    def find(self, drawn: FloatArray, before: FloatArray, total: FloatArray) -> tuple[FloatArray, IntArray]:
        """(medians, place in the window of the lower middle) of each row.

        `drawn` are the counts in the window, `before` and `total` those before it and of the whole group.
        """
        reached = np.cumsum(drawn, axis=1)
        reached += before[:, None]
        last = self.ratio.size - 1
        lower = np.minimum((reached < np.floor((total + 1) / 2)[:, None]).sum(axis=1), last)
        upper = np.minimum((reached < (np.floor(total / 2) + 1)[:, None]).sum(axis=1), last)
        median = np.where(total > 0, (self.ratio[lower] + self.ratio[upper]) / 2.0, np.nan)
        return median, lower


def _window(size: int) -> slice:
    """The ranks in which the median of any resample of `size` ordered values lies."""
    if size < _MIN_WINDOWED_SIZE:
        return slice(0, size)
    # How many draws fall below a rank is binomial: half the root of n is its standard deviation.
    reach = int(_WINDOW_DEVIATIONS * 0.5 * np.sqrt(size)) + 2
    return slice(size // 2 - reach, size // 2 + reach)


def _ties(ordered: FloatArray) -> tuple[IntArray, IntArray] | None:
    """First and last positions of the tie that each of a chunk's prices is in; None without ties."""
    starts, ends = tied_ranks(ordered)
    return None if ends.size == 0 or (ends - starts).max() == 1 else (starts, ends)


def _tied(weights: FloatArray, estimate: FloatArray) -> FloatArray:
    """Draws of the sales of a tie, and the sum of their estimates; shape (rows, 2)."""
    return np.column_stack([weights.sum(axis=1), weights @ estimate])


class _Totals:
    """Sums of a block of resamples over the chunks.

    `sums` are the counts times the sample's columns, `ranked` twice the sums of estimate and price times mean rank,
    `drawn` the counts in the window of each median.
    """

    def __init__(self, rows: int, sample: _Sample) -> None:
        self.sums = np.zeros((rows, sample.columns.shape[1]))
        self.ranked = np.zeros((rows, 2))
        self.drawn = [np.zeros((rows, middle.ratio.size)) for middle in sample.middles]
        self.counted = np.zeros(rows)
        self.tied = np.zeros((rows, 2))
        """Of the last chunk's last price: how often it was drawn, and the sum of its estimates."""


class _Sample:
    """One sample, laid out so that statistics of many resamples are matrix products."""

    def __init__(self, estimates: FloatArray, prices: FloatArray) -> None:
        order = price_order(estimates, prices)
        self.size = estimates.size
        self.chunks = [slice(start, min(start + _CHUNK, self.size)) for start in range(0, self.size, _CHUNK)]
        estimate, price = estimates[order], prices[order]
        ratio = estimate / price
        deviation = ratio - ratio.mean()
        groups = vei_groups(estimate, price) if self.size >= MIN_SALES_FOR_VERTICAL_EQUITY else ()
        self.middles = [_Middle(ratio, group, self.chunks) for group in (np.arange(self.size), *groups)]
        whole = self.middles[0]
        columns = [estimate, price, ratio, deviation, deviation * deviation, whole.before, whole.before * ratio]
        for group in self.middles[1:]:
            columns += [group.before, group.members]
        self.columns = np.column_stack(columns)
        self._ties = [_ties(price[chunk]) for chunk in self.chunks]
        self._weights = self._ranks = np.empty((0, 0))

    def _buffers(self, rows: int, width: int) -> tuple[FloatArray, FloatArray]:
        """Room for two blocks, kept from block to block: fresh ones would cost more than the arithmetic."""
        if self._weights.shape[0] < rows or self._weights.shape[1] < width:
            shape = (max(rows, self._weights.shape[0]), max(width, self._weights.shape[1]))
            self._weights, self._ranks = np.empty(shape), np.empty(shape)
        return self._weights[:rows, :width], self._ranks[:rows, :width]

    def statistics(self, blocks: Iterator[IntArray]) -> tuple[FloatArray, ...]:
        """(median, mean, weighted mean, COD, COV, PRD, MKI, VEI), each of shape (rows,); a block a chunk."""
        totals: _Totals | None = None
        for number, counts in enumerate(blocks):
            totals = totals or _Totals(len(counts), self)
            self._add(totals, number, counts)
        if totals is None:
            raise AppraisalInputError("counts", "are empty")
        return self._statistics(totals)

    def _add(self, totals: _Totals, number: int, counts: IntArray) -> None:
        """Add a chunk's part to the totals."""
        weights, ranks = self._buffers(*counts.shape)
        weights[:] = counts
        columns = self.columns[self.chunks[number]]
        sums = weights @ columns
        totals.sums += sums
        for middle, drawn in zip(self.middles, totals.drawn, strict=True):
            drawn[:, middle.neighborhood_centers[number]] = weights[:, middle.locals[number]]
        # Sales of one price, drawn c times, share the ranks S - c + 1 to S, whose mean is (S + (S - c) + 1) / 2.
        reached = np.zeros((len(counts), counts.shape[1] + 1), dtype=np.int64)
        np.cumsum(counts, axis=1, out=reached[:, 1:])
        ties = self._ties[number]
        if ties is None:
            np.add(reached[:, 1:], reached[:, :-1], out=ranks)
        else:
            np.add(reached.take(ties[0], axis=1), reached.take(ties[1], axis=1), out=ranks)
        ranks *= weights
        totals.ranked += ranks @ columns[:, :2] + (2.0 * totals.counted + 1.0)[:, None] * sums[:, :2]
        totals.counted += reached[:, -1]
        self._join_ties(totals, number, weights)

    def _join_ties(self, totals: _Totals, number: int, weights: FloatArray) -> None:
        """Let a tie that two chunks share have one mean rank: in each, only its own part had been counted."""
        if len(self.chunks) == 1:
            return
        estimate, price = self.columns[self.chunks[number], 0], self.columns[self.chunks[number], 1]
        first = int(np.searchsorted(price, price[0], "right"))
        goes_on = number > 0 and self.columns[self.chunks[number].start - 1, 1] == price[0]
        if goes_on:
            here = _tied(weights[:, :first], estimate[:first])
            totals.ranked[:, 0] += here[:, 0] * totals.tied[:, 1] - totals.tied[:, 0] * here[:, 1]
            if first == price.size:
                totals.tied += here
                return
        last = int(np.searchsorted(price, price[-1], "left"))
        totals.tied = _tied(weights[:, last:], estimate[last:])

    def _statistics(self, totals: _Totals) -> tuple[FloatArray, ...]:
        sums = totals.sums.T
        estimate_sum, price_sum, ratio_sum, deviation_sum, squares = sums[:5]
        median, absolute = self._median_and_deviation(totals)
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
            self._mki(totals),
            self._vei(totals, median),
        )

    def _median_and_deviation(self, totals: _Totals) -> tuple[FloatArray, FloatArray]:
        """The median of each resample and its sum of absolute deviations from it."""
        ratio_sum, before, before_ratio = totals.sums[:, 2], totals.sums[:, 5], totals.sums[:, 6]
        drawn, middle = totals.drawn[0], self.middles[0]
        median, lower = middle.find(drawn, before, np.full(len(drawn), float(self.size)))
        up_to = np.arange(drawn.shape[1]) <= lower[:, None]
        count = before + (drawn * up_to).sum(axis=1)
        weighted = before_ratio + (drawn * up_to) @ middle.ratio
        return median, ratio_sum - 2.0 * weighted + median * (2.0 * count - self.size)

    def _mki(self, totals: _Totals) -> FloatArray:
        concentration = (totals.ranked / totals.sums[:, :2] - (self.size + 1)) / self.size
        gini = np.where(concentration[:, 1] > 1e-12, concentration[:, 1], np.nan)
        return np.asarray(concentration[:, 0] / gini)

    def _vei(self, totals: _Totals, median: FloatArray) -> FloatArray:
        if len(self.middles) == 1:
            return np.full(len(median), np.nan)
        lowest, highest = (
            middle.find(drawn, totals.sums[:, 7 + 2 * number], totals.sums[:, 8 + 2 * number])[0]
            for number, (middle, drawn) in enumerate(zip(self.middles[1:], totals.drawn[1:], strict=True))
        )
        return np.asarray(100.0 * (highest - lowest) / median)
