"""`python -m tests.benchmarks` lists the benchmarks; `... NAME [--rows N] [--json]` runs one."""

import argparse
import dataclasses
import importlib
import json
import os
from collections.abc import Callable

from rich.console import Console
from rich.table import Table

from tests.benchmarks.result import BenchmarkResult

BENCHMARKS = {
    "sync_full": ("sync:run_full", "a full sync against COPY of the same rows into the same indexed table"),
    "sync_unchanged": ("sync:run_unchanged", "a sync that finds nothing new, against the same COPY"),
    "sync_cost": ("sync_cost:run", "what a sync costs on AWS, from measured durations and list prices"),
    "sync_one_percent": ("sync:run_one_percent", "a sync in which one row in a hundred has changed"),
    "api_property": ("api_property:run", "one property through the gateway, against bare pg8000 and Flask + FastAPI"),
    "list_formats": (
        "list_formats:run",
        "a county's properties as CSV, XLSX and Parquet, against COPY; pages beside them",
    ),
    "command_line": ("command_line:run", "processor time of `--help` and `county list`, against `python -c pass`"),
    "cold_start": ("cold_start:run", "each API function's imports against its bare dependencies'"),
    "valuation_api": ("valuation_api:run", "one value by a promoted model through the handler, and the way there"),
    "ratio_study": ("ratio_study:run", "a ratio study with 1,000 resamples, against assesspy"),
    "valuation_accuracy": (
        "valuation_accuracy:run",
        "values of later sales, against HistGradientBoosting, LightGBM and OpenAVMKit (--county)",
    ),
    "valuation_speed": (
        "valuation_speed:run",
        "training on 20,000 sales and valuing 100,000 parcels, against 60 s each",
    ),
    "geographic": (
        "geographic:run",
        "a Shapefile synced, against a GeoPackage made of it and a sync of the same rows from Parquet",
    ),
    "district_lookup": ("district_lookup:run", "districts by coordinate and by spoiled address, against SQL alone"),
    "appeal_packet": ("reports:run_packet", "evidence packets of all elements, against 5 s for one and 480 s for 200"),
    "cql2": ("ogc:run_cql2", "the CQL2 standard's predicates over HTTP, as text and as JSON"),
    "ogc_items": ("ogc:run_ogc_items", "pages of features, against the SQL and the serialisation alone"),
    "tiles": ("ogc:run_tiles", "vector tiles of zoom 14, against SQL alone"),
    "notices": ("notices:run", "a batch of notices of value as letters, against typesetting alone"),
    "roll_checks": ("rolls:run_checks", "every check over a roll, against 10 s"),
    "certification": ("rolls:run_certification", "a roll certified with its checks, against 30 s; verified beside it"),
    "audit_chain": ("rolls:run_audit_chain", "a sealed audit trail of a million events verified, against 20 s"),
    "report_pdf": ("reports:run_pdf", "a ratio study of 20,000 sales with four charts as PDF, against typst alone"),
    "report_xlsx": ("reports:run_xlsx", "a roll of 100,000 parcels as a workbook, against XlsxWriter alone"),
    "gis_export": ("gis_export:run", "an export against the SQL and the serialisation alone"),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("name", nargs="?", choices=sorted(BENCHMARKS))
    parser.add_argument("--rows", type=int)
    parser.add_argument("--county", help="for valuation_accuracy: king_wa or lucas_oh")
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    arguments = parser.parse_args()
    console = Console()
    if arguments.name is None:
        for name, (_, about) in BENCHMARKS.items():
            console.print(f"{name:<16} {about}")
        return
    os.environ.setdefault("COUNTY_REQUESTS_PER_SECOND", "0")  # speed is measured with one county's requests
    module, function = BENCHMARKS[arguments.name][0].split(":")
    run: Callable[..., BenchmarkResult] = getattr(importlib.import_module(f"tests.benchmarks.{module}"), function)
    result = run(arguments.rows, **({"county": arguments.county} if arguments.county else {}))
    console.print(_table(result))
    if arguments.json:
        print(json.dumps(dataclasses.asdict(result), default=str))


def _table(result: BenchmarkResult) -> Table:
    table = Table("", result.name, title=None)
    for name, value in dataclasses.asdict(result).items():
        if name == "details":
            for detail, measured in result.details.items():
                table.add_row(f"  {detail}", _shown(measured))
        elif name != "name":
            table.add_row(name, _shown(value))
    return table


def _shown(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:,.3f}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    main()
