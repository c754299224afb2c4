"""Inputs of the neural network: what a property is and where it lies, not what was sold around it.

A number becomes its place among the quantiles of the sales, piecewise linear: of the bins below its own all, of its
own the part that it has passed (Gorishniy, Rubachev and Babenko, On Embeddings for Numerical Features in Tabular Deep
Learning, 2022). A code becomes one column a level. All are counted about the mean of the sales, so that 0 everywhere
is the average sale, and an unknown number says nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.appraisal.arrays import FloatArray, IntArray
from shared.appraisal.avm.parameters import LEVEL_DEVIATION, MIN_BIN_DEVIATION, NETWORK_BINS
from shared.appraisal.avm.predictors import Predictors
from shared.appraisal.columns import Characteristics
from shared.appraisal.features import CategoricalFeature, Features

SingleArray = NDArray[np.float32]


@dataclass(frozen=True)
class PiecewiseLinearEncoding:
    """One predictor, the column `place` of their matrix, in bins.

    `mean` and `deviation` are those of the bins, shape (bins,). `unknown` is the share of sales that lack it; where
    it is above 0, that it is unknown is an input as well.
    """

    place: int
    group: str
    edges: FloatArray
    mean: FloatArray
    deviation: FloatArray
    unknown: float

    @property
    def size(self) -> int:
        """The number of inputs."""
        return self.mean.size + (self.unknown > 0.0)

    def encode(self, value: FloatArray) -> FloatArray:
        """The inputs of values (n,); shape (n, size)."""
        known = np.isfinite(value)
        passed = (_passed(np.where(known, value, 0.0), self.edges) - self.mean) / self.deviation
        inputs = np.where(known[:, None], passed, 0.0)
        return np.column_stack([inputs, ~known - self.unknown]) if self.unknown > 0.0 else inputs


@dataclass(frozen=True)
class OneHotEncoding:
    """One code: a column a level, about the share of the sales that have it; shape of `share` (levels,)."""

    levels: CategoricalFeature
    share: FloatArray

    @property
    def size(self) -> int:
        """The number of inputs."""
        return self.share.size

    def encode(self, properties: Characteristics) -> FloatArray:
        """The inputs of properties; shape (n, size). A level that was not seen has no column."""
        return (self.levels.design(properties, np.zeros(len(properties))) - self.share) / LEVEL_DEVIATION


@dataclass(frozen=True)
class NetworkInputs:
    """The encodings of a network's inputs, learned from the sales."""

    binned: tuple[PiecewiseLinearEncoding, ...]
    coded: tuple[OneHotEncoding, ...]

    @property
    def groups(self) -> tuple[str, ...]:
        """The feature that each input is reported under."""
        of_numbers = [part.group for part in self.binned for _ in range(part.size)]
        return (*of_numbers, *(part.levels.name for part in self.coded for _ in range(part.size)))

    def encode(self, matrix: FloatArray, properties: Characteristics) -> SingleArray:
        """From the matrix of predictors of n properties; shape (n, inputs)."""
        numbers = [part.encode(matrix[:, part.place]).astype(np.float32) for part in self.binned]
        codes = [part.encode(properties).astype(np.float32) for part in self.coded]
        return np.concatenate([np.zeros((len(properties), 0), dtype=np.float32), *numbers, *codes], axis=1)


def learn_inputs(
    predictors: Predictors, features: Features, matrix: FloatArray, properties: Characteristics
) -> NetworkInputs:
    """From sales: their predictors' matrix (n, columns) and their properties. One that never varies is dropped."""
    binned = [
        _piecewise_linear(int(column), predictors.groups[column], matrix[:, column]) for column in _own(predictors)
    ]
    coded = [part for part in features.parts if isinstance(part, CategoricalFeature)]
    nowhen = np.zeros(len(properties))
    return NetworkInputs(
        tuple(part for part in binned if part.size),
        tuple(OneHotEncoding(part, part.design(properties, nowhen).mean(axis=0)) for part in coded),
    )


def _own(predictors: Predictors) -> IntArray:
    """The predictors that do not speak of other sales: what helps trees most would make a network one more of them."""
    return np.flatnonzero([column in predictors.own for column in predictors.columns]).astype(np.int64)


def _piecewise_linear(column: int, group: str, value: FloatArray) -> PiecewiseLinearEncoding:
    known = value[np.isfinite(value)]
    edges = np.unique(np.quantile(known, np.linspace(0.0, 1.0, NETWORK_BINS + 1))) if known.size else np.zeros(1)
    passed = _passed(known, edges)
    mean = passed.sum(axis=0) / max(known.size, 1)
    deviation = np.sqrt(((passed - mean) ** 2).sum(axis=0) / max(known.size, 1))
    return PiecewiseLinearEncoding(
        column, group, edges, mean, np.maximum(deviation, MIN_BIN_DEVIATION), 1.0 - known.size / value.size
    )


def _passed(value: FloatArray, edges: FloatArray) -> FloatArray:
    """The part of each bin that lies below a value; shapes (n,) and (edges,) give (n, edges - 1)."""
    return np.asarray(np.clip((value[:, None] - edges[:-1]) / np.diff(edges), 0.0, 1.0))
