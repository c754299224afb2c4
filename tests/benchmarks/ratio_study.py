"""A ratio study with 1,000 resamples, against assesspy on the same sales.

assesspy draws every resample from a data frame, so on many sales it is given few resamples and its time is scaled
to 1,000; `peer_resamples` says how many it really drew. It is asked for its intervals of COD, PRD and PRB; ours has
those and the intervals of the median, both means, COV, MKI and VEI, trimming and verdicts.
"""

import importlib
import resource
import time
from typing import Any

import numpy as np

from shared.appraisal.arrays import FloatArray
from shared.appraisal.ratio_study import Options, study
from shared.appraisal.verdicts import Uniformity
from tests.benchmarks.result import BenchmarkResult

ROWS = 100_000
RESAMPLES = 1000
_PEER_CELLS = 2_000_000


def run(rows: int | None) -> BenchmarkResult:
    """Measure our study, then the peer's intervals where assesspy is installed (`uv sync --group bench`)."""
    size = rows or ROWS
    estimate, price = _sales(size)
    began, began_cpu = time.perf_counter(), time.process_time()
    made = study(estimate, price, Uniformity.RESIDENTIAL, Options(trim=False, iterations=RESAMPLES))
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - began_cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    details: dict[str, Any] = {
        name: [figures.interval.low, figures.value, figures.interval.high]
        for name, figures in made.statistics.items()
        if figures.interval is not None
    }
    peer_seconds, peer = _peer(estimate, price)
    return BenchmarkResult(
        name="ratio_study",
        rows=size,
        seconds=seconds,
        peak_rss_mb=peak,
        ratio_to_limit=None,
        ratio_to_peer=None if peer_seconds is None else peer_seconds / seconds,
        details={"resamples": RESAMPLES, "cpu_seconds": cpu_seconds, **details, **peer},
    )


def _sales(size: int) -> tuple[FloatArray, FloatArray]:
    generator = np.random.default_rng(20130401)
    price = np.round(np.exp(generator.normal(12.8, 0.5, size)), -2).astype(np.float64)
    return price * np.exp(generator.normal(0, 0.14, size)), price


def _peer(estimate: FloatArray, price: FloatArray) -> tuple[float | None, dict[str, Any]]:
    """(seconds scaled to all resamples, what the peer found), or None without the peer."""
    try:
        assesspy = importlib.import_module("assesspy")
    except ModuleNotFoundError:
        return None, {"peer": "assesspy is not installed"}
    resamples = min(RESAMPLES, max(10, _PEER_CELLS // price.size))
    began, began_cpu = time.perf_counter(), time.process_time()
    cod = assesspy.cod_ci(estimate, price, nboot=resamples)
    prd = assesspy.prd_ci(estimate, price, nboot=resamples)
    drawn, drawn_cpu = time.perf_counter() - began, time.process_time() - began_cpu
    began = time.perf_counter()
    prb = assesspy.prb_ci(estimate, price)
    fixed = time.perf_counter() - began
    figures = {
        "peer_cod": [float(bound) for bound in cod],
        "peer_prd": [float(bound) for bound in prd],
        "peer_prb": [float(bound) for bound in prb],
        "peer_resamples": resamples,
        "peer_cpu_seconds": drawn_cpu * RESAMPLES / resamples + fixed,
    }
    return drawn * RESAMPLES / resamples + fixed, figures
