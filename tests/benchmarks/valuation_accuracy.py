"""The valuation model's accuracy on later sales, and that of other learners on the same rows.

A demo county is synced from its legacy system, a model is trained on its sales to a day, and every later sale is
valued as of its own day, untrimmed; `fixed_date_*` are the same with all values as of the day after the training
sales. The peers are trained on the sales that our model is made of. `cod_difference` is theirs minus ours with a
paired bootstrap's interval: above 0 ours is better. OpenAVMKit values as of one day, the day after the training sales,
so it is set against our values as of that day, too (`openavmkit_fixed_date_cod_difference`).
"""

import resource
import time
from datetime import date
from importlib.util import find_spec
from typing import Any

import numpy as np

from shared.appraisal.arrays import FloatArray, IntArray
from shared.appraisal.avm.model import TrainedModel
from shared.appraisal.avm.training import train
from shared.appraisal.columns import Sales
from shared.appraisal.ratio_statistics import cod
from shared.appraisal.ratio_study import Options, study
from shared.appraisal.verdicts import Uniformity
from tests.benchmarks.county_evidence import synced_evidence
from tests.benchmarks.openavmkit_peer import PeerFailedError, openavmkit
from tests.benchmarks.peers.learners import PEERS
from tests.benchmarks.result import BenchmarkResult

LAST_TRAINING_DAY = {"king_wa": date(2015, 3, 9), "lucas_oh": date(1997, 11, 6)}
_RESAMPLES = 1000


def run(rows: int | None, county: str = "king_wa") -> BenchmarkResult:
    """Train and test on one county; `rows` takes only so many of its latest training sales."""
    sales = synced_evidence(county).sales
    on = LAST_TRAINING_DAY[county].toordinal() + 1
    earlier, later = np.flatnonzero(sales.sale_day < on), np.flatnonzero(sales.sale_day >= on)
    earlier = earlier[-rows:] if rows else earlier
    began = time.perf_counter()
    model = train(sales.take(earlier), on)
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    tested = sales.take(later[model.ensemble.can_value(sales.characteristics.take(later))])
    fixed = model.predict(tested.characteristics)
    estimate, low, high = _as_of_their_days(model, tested)
    covered = (low <= tested.sale_price) & (tested.sale_price <= high)
    share = float(covered.mean())
    reach = 1.96 * float(np.sqrt(share * (1 - share) / covered.size))
    used = sales.take(earlier[model.rows])
    fixed_covered = (fixed.low <= tested.sale_price) & (tested.sale_price <= fixed.high)
    return BenchmarkResult(
        name="valuation_accuracy",
        rows=len(tested),
        seconds=seconds,
        peak_rss_mb=peak,
        ratio_to_limit=None,
        ratio_to_peer=None,
        details={
            "county": county,
            "trained_on": int(model.rows.size),
            "not_valued": int(later.size - len(tested)),
            **_statistics("", estimate, tested.sale_price),
            "coverage": share,
            "coverage_interval": [share - reach, share + reach],
            **_statistics("fixed_date_", fixed.estimate, tested.sale_price),
            "fixed_date_coverage": float(fixed_covered.mean()),
            "weights": dict(model.weights),
            **_peers(used, tested, estimate),
            **_openavmkit(used, tested, estimate, fixed.estimate, on),
        },
    )


def _as_of_their_days(model: TrainedModel, tested: Sales) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Estimate, low and high of each property as of the day of its sale."""
    predicted = np.full((3, len(tested)), np.nan)
    for day in np.unique(tested.sale_day):
        rows = np.flatnonzero(tested.sale_day == day)
        of_day = model.predict(tested.characteristics.take(rows), int(day))
        predicted[:, rows] = of_day.estimate, of_day.low, of_day.high
    return predicted[0], predicted[1], predicted[2]


def _statistics(prefix: str, estimate: FloatArray, price: FloatArray) -> dict[str, Any]:
    made = study(estimate, price, Uniformity.RESIDENTIAL, Options(trim=False, iterations=_RESAMPLES))
    finding: dict[str, Any] = {f"{prefix}mape": 100 * float(np.mean(np.abs(estimate / price - 1)))}
    for name in ("cod", "median", "prd", "prb"):
        measured = made.statistics[name]
        finding[f"{prefix}{name}"] = measured.value
        if measured.interval is not None and not prefix:
            finding[f"{name}_interval"] = [measured.interval.low, measured.interval.high]
    return finding


def _peers(used: Sales, tested: Sales, ours: FloatArray) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for name, (package, learner) in PEERS.items():
        if find_spec(package) is None:
            figures[name] = f"{package} is not installed (uv sync --group bench)"
            continue
        theirs = learner(used, tested.characteristics, tested.sale_day)
        figures |= _statistics(f"{name}_", theirs, tested.sale_price)
        figures[f"{name}_cod_difference"] = _cod_difference(ours, theirs, tested.sale_price)
    return figures


def _openavmkit(used: Sales, tested: Sales, ours: FloatArray, fixed: FloatArray, on: int) -> dict[str, Any]:
    try:
        theirs = openavmkit(used, tested.characteristics, on)
    except PeerFailedError as error:
        return {"openavmkit": str(error)}
    return {
        **_statistics("openavmkit_", theirs, tested.sale_price),
        "openavmkit_cod_difference": _cod_difference(ours, theirs, tested.sale_price),
        "openavmkit_fixed_date_cod_difference": _cod_difference(fixed, theirs, tested.sale_price),
    }


def _cod_difference(ours: FloatArray, theirs: FloatArray, price: FloatArray) -> list[float]:
    """[low, difference, high] of their COD minus ours, over the same resamples of the sales."""
    generator = np.random.default_rng(20130401)

    def difference(rows: IntArray) -> float:
        return cod((theirs / price)[rows]) - cod((ours / price)[rows])

    drawn = [difference(generator.integers(0, price.size, price.size)) for _ in range(_RESAMPLES)]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return [float(low), difference(np.arange(price.size)), float(high)]
