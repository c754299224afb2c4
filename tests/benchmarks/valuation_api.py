"""One value through the handler, warm: without a champion and by a promoted model; and the way there.

Without a champion the first request starts a job that fits the county's sales. Measured are the job, values warm, the
first one of a process that has kept nothing, and values while every one of them follows an edit of a parcel.

A synthetic county of as many sold parcels as rows, on a PostgreSQL of its own; S3 and Step Functions are moto's, in
this process. The handlers and tasks are called as API Gateway and the jobs machine call them.
"""

import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import boto3
import numpy as np
import orjson
from moto import mock_aws
from sqlalchemy import text

from infra.local.postgres import LocalPostgres
from shared.appraisal.arrays import FloatArray
from shared.db import engine as engines
from shared.db import unit_of_work
from shared.db.copying import copy_in
from shared.db.migrate import upgrade
from shared.settings import settings
from tests.benchmarks.result import BenchmarkResult
from tests.gateway import call
from tests.job_cloud import Steps, run_partitioned, run_task
from tests.synthetic_county import County, synthetic_county

COUNTY = "king_wa"
SALES = 20_000
VALUES = 200
WARM_UP = 20
ON = "2024-01-02"
_API = "/v1/counties/{county_id}"
_PASSWORD = "benchmark"


def run(rows: int | None = None) -> BenchmarkResult:
    """`seconds` is the median of one value, warm. `rows` are the county's sold parcels."""
    size = rows or SALES
    with ExitStack() as stack:
        stack.enter_context(_platform())
        _fill(synthetic_county(size))
        without = _without_champion()
        training, model_id = _timed(_trained)
        _promote(model_id)
        cold, _ = _timed(lambda: _value("P000000"))
        for number in range(WARM_UP):
            _value(f"P{number:06}")
        seconds = [_timed(partial(_value, f"P{number:06}"))[0] for number in range(VALUES)]
        whole, _ = _timed(_county_run)
        artifact = _artifact_bytes(model_id)
    return BenchmarkResult(
        name="valuation_api",
        rows=size,
        seconds=statistics.median(seconds),
        peak_rss_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        ratio_to_limit=None,
        ratio_to_peer=None,
        details={
            "p50_ms": 1e3 * statistics.median(seconds),
            "p95_ms": 1e3 * float(np.quantile(seconds, 0.95)),
            "first_value_ms": 1e3 * cold,
            "training_job_seconds": training,
            "artifact_mb": artifact / 2**20,
            "run_properties_a_second": size / whole,
            **without,
        },
    )


def _without_champion() -> dict[str, float]:
    """Values by comparable sales: nothing is fitted in a request, and an edit of a parcel changes no model."""
    from functions.valuation.service import comparables_models
    from functions.valuation.tasks.training import handler as task

    asked, job = _timed(lambda: _value("P000000"))
    fitting = 0.0
    if "estimate" not in job:  # of few sales the request has fitted them itself
        fitting, _ = _timed(lambda: run_task(task, COUNTY, "comparables_model", job["id"]))
    comparables_models.clear_caches()
    first, _ = _timed(lambda: _value("P000000"))
    for number in range(WARM_UP):
        _value(f"P{number:06}")
    warm = [_timed(partial(_value, f"P{number:06}"))[0] for number in range(VALUES)]
    edited = []
    for number in range(VALUES // 4):
        _edit(f"P{number:06}", bedrooms=1 + number % 5)
        edited.append(_timed(partial(_value, f"P{number:06}"))[0])
    return {
        "without_champion_asked_ms": 1e3 * asked,
        "without_champion_fitting_job_seconds": fitting,
        "without_champion_first_ms": 1e3 * first,
        "without_champion_p50_ms": 1e3 * statistics.median(warm),
        "without_champion_p95_ms": 1e3 * float(np.quantile(warm, 0.95)),
        "without_champion_while_edited_p50_ms": 1e3 * statistics.median(edited),
        "without_champion_while_edited_max_ms": 1e3 * max(edited),
    }


def _edit(property_id: str, **values: int) -> None:
    from functions.properties.handler import handler

    path = {"county_id": COUNTY, "property_id": property_id}
    body = {name: str(value) for name, value in values.items()}
    answer = call(
        handler, "PATCH", f"{_API}/properties/{{property_id}}", path=path, body=body, headers={"If-Match": "*"}
    )
    if answer.status >= 300:
        raise RuntimeError(answer.body)


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    done = work()
    return time.perf_counter() - began, done


@contextmanager
def _platform() -> Iterator[None]:
    """A migrated database, the data bucket, and a jobs machine that only notes what was started."""
    from shared.aws import forget_clients

    with (
        tempfile.TemporaryDirectory(prefix="benchmark-") as folder,
        LocalPostgres(Path(folder), durable=False) as server,
    ):
        server.create_owner("owner", "main")
        server.create_database("benchmark")
        owner = server.owner_url("benchmark")
        upgrade(owner, _PASSWORD)
        url = owner.set(username="terrafusion_app", password=_PASSWORD)
        os.environ |= {
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "x",
            "AWS_SECRET_ACCESS_KEY": "x",
            "DATA_BUCKET": "data",
            "DATABASE_SECRET_ARN": "benchmark",
        }
        with mock_aws():
            boto3.client("s3").create_bucket(Bucket="data")
            machine = boto3.client("stepfunctions").create_state_machine(
                name="jobs",
                definition='{"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}',
                roleArn="arn:aws:iam::123456789012:role/jobs",
            )
            os.environ["JOBS_STATE_MACHINE_ARN"] = machine["stateMachineArn"]
            settings.cache_clear()
            forget_clients()
            with mock.patch.object(engines, "database_url", return_value=url):  # what Secrets Manager would say
                yield
        engines.forget_engine()


def _fill(county: County) -> None:
    """The county with its parcels, each sold once."""
    known, size = county.sales.characteristics, len(county.sales)
    parcels = (
        (
            f"P{row:06}",
            *(_number(getattr(known, name)[row]) for name in _NUMBERS),
            str(known.quality[row]),
            str(known.condition[row]),
            str(known.neighborhood[row]),
            orjson.dumps({"view": float(known.numeric["view"][row])}).decode(),
        )
        for row in range(size)
    )
    sales = (
        (f"S{row:06}", f"P{row:06}", date.fromordinal(int(county.sales.sale_day[row])), county.sales.sale_price[row])
        for row in range(size)
    )
    with unit_of_work(COUNTY) as connection:
        connection.execute(
            text(
                "INSERT INTO counties (county_id, friendly_name, configuration, mapping, version)"
                " VALUES (:county, 'King', '{}', '', 1)"
            ),
            {"county": COUNTY},
        )
        _load(connection, "properties_operational", _PARCEL, parcels, {"property_class": "'residential'"})
        _load(connection, "sales", _SALE, sales, {"validity_code": "'valid'"})


_NUMBERS = (
    *("living_area_sqft", "land_area_sqft", "year_built", "bedrooms", "bathrooms", "stories", "longitude"),
    "latitude",
)
_PARCEL = ("property_id", *_NUMBERS, "quality", "condition", "neighborhood", "attributes")
_SALE = ("sale_id", "property_id", "sale_date", "sale_price")


def _load(connection: Any, table: str, columns: tuple[str, ...], rows: Any, constants: dict[str, str]) -> None:
    names = ", ".join(columns)
    fixed = {
        "county_id": f"'{COUNTY}'",
        "source_system": "'BENCHMARK'",
        "row_hash": "'h'",
        "version": "1",
        "valid_from": "now()",
    } | constants
    connection.execute(
        text(f"CREATE TEMP TABLE filled_{table} ON COMMIT DROP AS SELECT {names} FROM {table} WITH NO DATA")
    )
    copy_in(connection, f"filled_{table}", columns, rows)
    connection.execute(
        text(
            f"INSERT INTO {table} ({names}, {', '.join(fixed)})"
            f" SELECT {names}, {', '.join(fixed.values())} FROM filled_{table}"
        )
    )


def _number(value: FloatArray) -> int | float:
    number = float(value)
    return int(number) if number.is_integer() else number


def _request(method: str, path: str, body: object = None, **names: str) -> Any:
    from functions.valuation.handler import handler

    answer = call(handler, method, _API + path, path={"county_id": COUNTY, **names}, body=body)
    if answer.status >= 300:
        raise RuntimeError(answer.body)
    return answer.body


def _trained() -> str:
    from functions.valuation.tasks.training import handler as task

    model_id: str = _request("POST", "/valuation-models", {"valuation_date": ON})["id"]
    run_task(task, COUNTY, "valuation_model", model_id)
    return model_id


def _promote(model_id: str) -> None:
    body = {"override_reason": "a benchmark"}
    _request("POST", "/valuation-models/{model_id}/promote", body, model_id=model_id)


def _value(property_id: str) -> Any:
    return _request("POST", "/valuations", {"property_id": property_id, "valuation_date": ON})


def _county_run() -> None:
    from functions.valuation.tasks.finishing import handler as finish
    from functions.valuation.tasks.partition import handler as partition
    from functions.valuation.tasks.planning import handler as plan

    run_id = _request("POST", "/valuation-runs", {"valuation_date": ON})["id"]
    answer = run_partitioned(Steps("valuation_run", plan, partition, finish), COUNTY, run_id)
    if answer != {"status": "succeeded"}:
        raise RuntimeError(_request("GET", "/valuation-runs/{run_id}", run_id=run_id))


def _artifact_bytes(model_id: str) -> int:
    size: int = _request("GET", "/valuation-models/{model_id}", model_id=model_id)["model"]["artifact"]["size_bytes"]
    return size
