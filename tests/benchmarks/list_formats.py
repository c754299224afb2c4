"""A county's properties as a file of each format through the route's handler, against COPY of the same columns.

The files are kept nowhere: what S3 takes for one is not measured. Pages of JSON, sorted ones and a property's summary
are measured beside them.
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import insert

from functions.properties.handler import handler
from functions.properties.schemas.parcels import PropertySummary
from infra.local.postgres import LocalPostgres
from shared import storage
from shared.api.list_formats import LIST_TYPES
from shared.db import unit_of_work
from shared.db.copying import copy_out
from shared.db.models import County
from tests.benchmarks.gis_export import _ADDRESS, COUNTY, _database, _use
from tests.benchmarks.result import BenchmarkResult
from tests.gateway import LambdaContext, claims_of, proxy_event

ROWS = 100_000
LIST = "/v1/counties/{county_id}/properties"
ONE = LIST + "/{property_id}"
_CALLS = 30


def run(rows: int | None = None) -> BenchmarkResult:
    """Make each format of `rows` synthetic parcels, in a process of its own."""
    rows = rows or ROWS
    with TemporaryDirectory() as folder, LocalPostgres(Path(folder, "postgres"), durable=False) as server:
        address = _database(server, rows)
        with unit_of_work(COUNTY) as connection:
            named = {"county_id": COUNTY, "friendly_name": "Bench"}
            connection.execute(insert(County).values(**named, configuration={}, mapping="", version=1))
        files = {media_type: _measured(media_type, address) for media_type in LIST_TYPES[1:]}
        pages = _measured("pages", address)
        limit = _measured("limit", address)["seconds"]
    seconds = {media_type.rpartition(".")[2].rpartition("/")[2]: figures for media_type, figures in files.items()}
    csv = files[LIST_TYPES[1]]
    return BenchmarkResult(
        name="list_formats",
        rows=rows,
        seconds=csv["seconds"],
        peak_rss_mb=max(figures["peak_rss_mb"] for figures in files.values()),
        ratio_to_limit=csv["seconds"] / limit,
        ratio_to_peer=None,
        details={f"{name}_seconds": figures["seconds"] for name, figures in seconds.items()} | pages,
    )


def _measured(what: str, address: str) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.benchmarks.list_formats", what]
    done = subprocess.run(command, env={**os.environ, _ADDRESS: address}, check=True, stdout=subprocess.PIPE, text=True)
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def _called(resource: str, query: Mapping[str, str], accept: str = "*/*", **path: str) -> None:
    claims = claims_of(counties=[COUNTY])
    whole = {"county_id": COUNTY, **path}
    event = proxy_event("GET", resource, path=whole, query=query, headers={"accept": accept}, claims=claims)
    answer = handler(event, LambdaContext())
    if answer["statusCode"] not in (200, 303):
        raise RuntimeError(answer["body"])


def _file(media_type: str) -> dict[str, Any]:
    setattr(storage, "put_file", lambda *_, **__: None)  # noqa: B010 - in place of S3
    setattr(storage, "signed_url", lambda *_: "https://example.org")  # noqa: B010
    started = time.perf_counter()
    _called(LIST, {}, media_type)
    return {"seconds": time.perf_counter() - started}


def _pages() -> dict[str, float]:
    return {
        "page_p50_ms": _p50_ms(lambda: _called(LIST, {})),
        "sorted_page_p50_ms": _p50_ms(lambda: _called(LIST, {"sort": "-total_value"})),
        "counted_page_p50_ms": _p50_ms(lambda: _called(LIST, {"count": "true"})),
        "neighborhoods_p50_ms": _p50_ms(lambda: _called("/v1/counties/{county_id}/neighborhoods", {})),
        "summary_p50_ms": _p50_ms(lambda: _called(ONE + "/summary", {}, property_id="0000000777")),
        "property_p50_ms": _p50_ms(lambda: _called(ONE, {}, property_id="0000000777")),
    }


def _p50_ms(call: Callable[[], None]) -> float:
    seconds = []
    for _ in range(_CALLS):
        started = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - started)
    return round(1e3 * statistics.median(seconds), 2)


def _limit() -> dict[str, float]:
    columns = ", ".join(PropertySummary.model_fields)
    started = time.perf_counter()
    with unit_of_work(COUNTY) as connection:
        connection.exec_driver_sql("SELECT 1")
        query = f"SELECT {columns} FROM properties_operational WHERE county_id = '{COUNTY}' ORDER BY property_id"
        copy_out(connection.connection.dbapi_connection, f"COPY ({query}) TO STDOUT (FORMAT csv)")
    return {"seconds": time.perf_counter() - started}


if __name__ == "__main__":
    _use(os.environ[_ADDRESS])
    what = sys.argv[1]
    figures = _pages() if what == "pages" else _limit() if what == "limit" else _file(what)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(figures if what == "pages" else {**figures, "peak_rss_mb": round(peak, 1)}))
