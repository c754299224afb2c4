"""Training on 20,000 sales, valuing 100,000 parcels with everything that is said of them, and explaining one.

`ratio_to_limit` is the slower of the two against its limit, 60 s on two cores. The sales are synthetic, with the
columns of a county: twelve characteristics, four attributes, coordinates and a hundred neighborhoods.
"""

import resource
import time
from datetime import date

import numpy as np

from shared.appraisal.avm.artifact import dump, load
from shared.appraisal.avm.model import TrainedModel
from shared.appraisal.avm.training import train
from shared.appraisal.columns import Characteristics, Sales
from tests.benchmarks.result import BenchmarkResult

SALES = 20_000
PARCELS_A_SALE = 5
LIMIT_SECONDS = 60.0
_FIRST_DAY = date(2022, 1, 1).toordinal()
_LAST_DAY = date(2024, 1, 1).toordinal()
_EXPLAINED = 50


def run(rows: int | None) -> BenchmarkResult:
    """Measure with `rows` sales (20,000) and five times as many parcels."""
    size = rows or SALES
    sales = _sales(size)
    began, worked = time.perf_counter(), time.process_time()
    model = train(sales, _LAST_DAY)
    trained, trained_cpu = time.perf_counter() - began, time.process_time() - worked
    parcels = _properties(size * PARCELS_A_SALE, np.random.default_rng(2))
    began, worked = time.perf_counter(), time.process_time()
    predicted = model.value(parcels)
    valued, valued_cpu = time.perf_counter() - began, time.process_time() - worked
    began = time.perf_counter()
    content = dump(model)
    dumped = time.perf_counter() - began
    began = time.perf_counter()
    load(content)
    loaded = time.perf_counter() - began
    return BenchmarkResult(
        name="valuation_speed",
        rows=size,
        seconds=trained + valued,
        peak_rss_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        ratio_to_limit=max(trained, valued) / LIMIT_SECONDS,
        ratio_to_peer=None,
        details={
            "train_seconds": trained,
            "train_cpu_seconds": trained_cpu,
            "parcels": len(parcels),
            "value_seconds": valued,
            "value_cpu_seconds": valued_cpu,
            "valued": int(np.isfinite(predicted.predictions.estimate).sum()),
            "explain_ms": _explain_ms(model, parcels),
            "artifact_mb": len(content) / 1e6,
            "dump_seconds": dumped,
            "load_seconds": loaded,
        },
    )


def _explain_ms(model: TrainedModel, parcels: Characteristics) -> float:
    """The median time of one value told in full."""
    model.explain(parcels.take(np.array([0])))
    times = []
    for row in range(_EXPLAINED):
        began = time.perf_counter()
        model.explain(parcels.take(np.array([row])))
        times.append(time.perf_counter() - began)
    return 1000 * float(np.median(times))


def _properties(size: int, generator: np.random.Generator) -> Characteristics:
    area = np.exp(generator.normal(7.5, 0.35, size)).round()
    longitude, latitude = generator.uniform(-122.4, -121.9, size), generator.uniform(47.3, 47.7, size)
    hood = np.floor((longitude + 122.4) * 20) * 10 + np.floor((latitude - 47.3) * 25)
    return Characteristics(
        living_area_sqft=area,
        land_area_sqft=np.exp(generator.normal(9.0, 0.5, size)).round(),
        year_built=generator.integers(1900, 2020, size).astype(np.float64),
        effective_year=np.full(size, np.nan),
        bedrooms=np.clip((area / 650).round(), 1, 7),
        bathrooms=np.clip((area / 900 + generator.normal(0, 0.4, size)).round(), 1, 5),
        stories=np.where(area > 1900, 2.0, 1.0),
        longitude=longitude,
        latitude=latitude,
        quality=np.clip((7 + generator.normal(0, 1.2, size)).round(), 4, 12).astype(np.int64).astype(np.str_),
        condition=generator.choice(["2", "3", "4", "5"], size).astype(np.str_),
        neighborhood=hood.astype(np.int64).astype(np.str_),
        numeric={
            "view": np.where(generator.random(size) < 0.1, generator.integers(1, 5, size), np.nan),
            "basement_sqft": np.where(generator.random(size) < 0.4, generator.uniform(200, 1500, size), np.nan),
        },
        categorical={
            "heating": generator.choice(["gas", "oil", "electric"], size).astype(np.str_),
            "exterior_wall": generator.choice(["brick", "wood", "stucco"], size).astype(np.str_),
        },
    )


def _sales(size: int) -> Sales:
    generator = np.random.default_rng(1)
    known = _properties(size, generator)
    day = np.sort(generator.integers(_FIRST_DAY, _LAST_DAY, size)).astype(np.int64)
    hill = 0.4 * np.exp(-(((known.longitude + 122.2) / 0.1) ** 2) - ((known.latitude - 47.5) / 0.08) ** 2)
    log_price = (
        7.0
        + 0.7 * np.log(known.living_area_sqft)
        - 0.002 * (2022 - known.year_built)
        + 0.08 * (known.quality.astype(np.float64) - 7)
        + 0.05 * np.nan_to_num(known.numeric["view"])
        + hill
        + 0.05 * (day - _FIRST_DAY) / 365.25
    )
    return Sales(known, day, np.exp(log_price + generator.normal(0, 0.12, size)).round(2))
