"""A neural network for log price: the mean of four small ones, each fitted without another quarter of the sales.

It learns the whole log price from what a property is and where it lies, while the trees learn what the regression
leaves of it, mostly from the sales around: the two err differently, and their mean errs less than either. Two hidden
layers with dropout, fitted by AdamW (Loshchilov and Hutter 2019) with a rate that falls along a cosine, to the same
loss as the trees. What the one network that did not see a sale says of it is what tests and weighs them all.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import cast

import numpy as np
from threadpoolctl import threadpool_limits

from shared.appraisal.arrays import FloatArray
from shared.appraisal.avm.network_inputs import SingleArray
from shared.appraisal.avm.parameters import (
    ADAM_EPSILON,
    ADAM_MOMENTA,
    BATCH_SIZE,
    DROPOUT,
    EPOCHS,
    FIRST_OUTPUT_SCALE,
    HIDDEN_WIDTH,
    LEARNING_RATE,
    MAX_TARGET_DEVIATION,
    MIN_STEPS,
    NETWORK_MEMBERS,
    PATH_POINTS,
    WARMUP_STEPS,
    WEIGHT_DECAY,
)
from shared.appraisal.avm.relative_error import slope_and_curvature

_THREADS = 2
_PREDICTION_BATCH_SIZE = 4096
# The path from the average sale to a property, by Gauss and Legendre's rule on (0, 1).
_POINTS, _SHARES = (part / 2.0 for part in np.polynomial.legendre.leggauss(PATH_POINTS))

Layers = tuple[SingleArray, ...]
"""Weights and biases in turn: (inputs, width), (width,), (width, width), (width,), (width, 1), (1,)."""


@dataclass(frozen=True)
class Network:
    """The fitted members; log value = `level` + `scale` * the mean of their outputs."""

    members: tuple[Layers, ...]
    level: float
    scale: float

    def predict(self, inputs: SingleArray) -> FloatArray:
        """The log value from inputs (n, inputs); shape (n,)."""
        output = [np.mean([_forward(layers, part)[-1] for layers in self.members], axis=0) for part in _parts(inputs)]
        return self.level + self.scale * np.concatenate([np.zeros(0), *output]).astype(np.float64)

    def contributions(self, inputs: SingleArray) -> FloatArray:
        """The contribution of each input to the log value beyond `common`; shape (n, inputs).

        Integrated gradients along the straight path from the average sale (Sundararajan, Taly and Yan 2017): the same
        principle as that of the dollars (see `attribution`). What four points miss of the integral is dealt out by
        size, so that the sum is exact.
        """
        parts = [np.mean([_integrated(layers, part) for layers in self.members], axis=0) for part in _parts(inputs)]
        parts_by_input = self.scale * np.concatenate([np.zeros((0, inputs.shape[1])), *parts]).astype(np.float64)
        size = np.abs(parts_by_input)
        missed = self.predict(inputs) - self.common - parts_by_input.sum(axis=1)
        return np.asarray(parts_by_input + size * (missed / np.maximum(size.sum(axis=1), 1e-300))[:, None])

    @cached_property
    def common(self) -> float:
        """The log value of the average sale, all of whose inputs are 0."""
        return float(self.predict(np.zeros((1, self.members[0][0].shape[0]), dtype=np.float32))[0])


def fit_network_and_folds(inputs: SingleArray, log_price: FloatArray, seed: int) -> tuple[Network, FloatArray]:
    """The network, and out-of-fold log values by the member that was fitted without the sale; shape (n,).

    The same sales and seed give the same network.
    """
    level = float(log_price.mean())
    scale = max(float(np.clip(log_price - level, -MAX_TARGET_DEVIATION, MAX_TARGET_DEVIATION).std()), ADAM_EPSILON)
    target = (log_price - level).astype(np.float32)
    fold = np.random.default_rng(seed + 2).permutation(target.size) % NETWORK_MEMBERS

    def member(number: int) -> Layers:
        rows = fold != number
        return fit_member(inputs[rows], target[rows], scale, seed * NETWORK_MEMBERS + number)

    # Of matrices as small as these BLAS's own threads would only take the members' cores from them.
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(_THREADS) as pool:
        members = tuple(pool.map(member, range(NETWORK_MEMBERS)))
    output = np.zeros(target.size)
    for number, layers in enumerate(members):
        output[fold == number] = Network((layers,), level, scale).predict(inputs[fold == number])
    return Network(members, level, scale), output


def fit_member(inputs: SingleArray, target: SingleArray, scale: float, seed: int) -> Layers:
    """One network fitted to `target` (n,), which it gives as a multiple of `scale`."""
    generator = np.random.default_rng(seed)
    layers = _first_layers(inputs.shape[1], generator)
    moments = [(np.zeros_like(layer), np.zeros_like(layer)) for layer in layers]
    batch = min(BATCH_SIZE, target.size)
    epochs = max(EPOCHS, -(-MIN_STEPS * batch // target.size))
    steps = epochs * (target.size // batch)
    step = 0
    for _ in range(epochs):
        order = generator.permutation(target.size)
        for start in range(0, target.size - batch + 1, batch):
            rows = order[start : start + batch]
            dropout_masks = [_dropout_mask((batch, HIDDEN_WIDTH), generator) for _ in range(2)]
            step += 1
            rate = LEARNING_RATE * min(1.0, step / WARMUP_STEPS) * 0.5 * (1.0 + np.cos(np.pi * (step - 1) / steps))
            _update(layers, moments, gradients(layers, inputs[rows], target[rows], scale, dropout_masks), rate, step)
    return tuple(layers)


def gradients(
    layers: list[SingleArray], inputs: SingleArray, target: SingleArray, scale: float, dropout_masks: list[SingleArray]
) -> list[SingleArray]:
    """The gradient by each layer of the mean loss over `scale`.

    `dropout_masks` multiply the outputs of the two hidden layers, each of shape (n, width): dropout.
    """
    first, second, output = _forward(layers, inputs, dropout_masks)
    slope, _ = slope_and_curvature((scale * output - target).astype(np.float64))
    of_output = (slope / target.size).astype(np.float32)[:, None]
    of_second = of_output * layers[4].T * dropout_masks[1] * (second > 0.0)
    of_first = (of_second @ layers[2].T) * dropout_masks[0] * (first > 0.0)
    return [
        inputs.T @ of_first, of_first.sum(axis=0), first.T @ of_second, of_second.sum(axis=0),
        second.T @ of_output, of_output.sum(axis=0),
    ]  # fmt: skip


def _first_layers(inputs: int, generator: np.random.Generator) -> list[SingleArray]:
    """Uniform within one over the root of a layer's inputs; the last small, so that it starts near the mean."""
    layers: list[SingleArray] = []
    for size, width in ((inputs, HIDDEN_WIDTH), (HIDDEN_WIDTH, HIDDEN_WIDTH), (HIDDEN_WIDTH, 1)):
        reach = 1.0 / np.sqrt(max(size, 1))
        layers += [generator.uniform(-reach, reach, shape).astype(np.float32) for shape in ((size, width), (width,))]
    return [*layers[:-2], FIRST_OUTPUT_SCALE * layers[-2], np.zeros_like(layers[-1])]


def _forward(
    layers: Layers | list[SingleArray], inputs: SingleArray, dropout_masks: list[SingleArray] | None = None
) -> tuple[SingleArray, SingleArray, SingleArray]:
    """The outputs of the hidden layers, shape (n, width), and what the network says, shape (n,)."""
    first = np.maximum(inputs @ layers[0] + layers[1], 0.0)
    first = first * dropout_masks[0] if dropout_masks else first
    second = np.maximum(first @ layers[2] + layers[3], 0.0)
    second = second * dropout_masks[1] if dropout_masks else second
    return first, second, (second @ layers[4] + layers[5])[:, 0]


def _dropout_mask(shape: tuple[int, int], generator: np.random.Generator) -> SingleArray:
    """0 for the outputs to drop; the others are raised, so that the sum is what it would be with all."""
    drawn = generator.random(shape, dtype=np.float32) >= DROPOUT
    return cast(SingleArray, drawn * np.float32(1.0 / (1.0 - DROPOUT)))


def _update(
    layers: list[SingleArray],
    moments: list[tuple[SingleArray, SingleArray]],
    gradient: list[SingleArray],
    rate: float,
    step: int,
) -> None:
    """One step of AdamW, in place."""
    fast, slow = ADAM_MOMENTA
    size = np.float32(rate * np.sqrt(1.0 - slow**step) / (1.0 - fast**step))
    for layer, (mean, square), layer_gradient in zip(layers, moments, gradient, strict=True):
        mean += np.float32(1.0 - fast) * (layer_gradient - mean)
        square += np.float32(1.0 - slow) * (layer_gradient * layer_gradient - square)
        layer *= np.float32(1.0 - rate * WEIGHT_DECAY)
        layer -= size * mean / (np.sqrt(square) + np.float32(ADAM_EPSILON))


def _integrated(layers: Layers, inputs: SingleArray) -> SingleArray:
    """Inputs times the mean of the gradients along their path from 0."""
    along = inputs @ layers[0]
    mean = np.zeros_like(along)
    for point, share in zip(_POINTS + 0.5, _SHARES, strict=True):
        before = np.float32(point) * along + layers[1]
        of_second = (np.maximum(before, 0.0) @ layers[2] + layers[3] > 0.0) * layers[4][:, 0]
        mean += np.float32(share) * ((of_second @ layers[2].T) * (before > 0.0))
    return cast(SingleArray, inputs * (mean @ layers[0].T))


def _parts(inputs: SingleArray) -> list[SingleArray]:
    return [inputs[start : start + _PREDICTION_BATCH_SIZE] for start in range(0, len(inputs), _PREDICTION_BATCH_SIZE)]
