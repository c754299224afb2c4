"""Reports in processes of their own: a ratio study as PDF against typst alone, a roll as XLSX against XlsxWriter alone.

A folder stands in for S3. The study is made by the ratio study's own task, of sales of synthetic parcels.
"""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

from sqlalchemy import text

from functions.ratio_study.schemas import RatioStudyRequest
from functions.ratio_study.service import study
from functions.reporting.domain.contents import Columns, Contents, Section
from functions.reporting.domain.heading import Heading
from functions.reporting.render.page import page_of
from functions.reporting.render.pdf import TEMPLATE, pdf_view, write_pdf
from functions.reporting.render.sections.ratio_study import chart_sections
from functions.reporting.reports.finished_study import read_sales, read_study
from functions.reporting.reports.registry import REPORT_TYPES
from functions.reporting.reports.request import ReportRequest
from functions.reporting.repository import properties
from functions.reporting.service.build_report import build
from functions.valuation.repository import valuations
from infra.local.postgres import LocalPostgres
from shared import storage
from shared.db import unit_of_work
from shared.jobs import RunningJob
from shared.jobs.lifecycle import results_key
from shared.problems import NotFound
from shared.typesetting.pdf import to_pdf
from tests.benchmarks.gis_export import _ADDRESS, COUNTY, _database, _use
from tests.benchmarks.result import BenchmarkResult
from tests.unit.reporting.example_packet import valuation

SALES = 20_000
ROLL_ROWS = 100_000
PACKETS = 200
PACKET_LIMIT_S, PACKETS_LIMIT_S = 5, 480
CHARTS = 20
"""Of the area report, beside the tables of its study."""
PDF_LIMIT_S, AREA_LIMIT_S, XLSX_LIMIT_S, XLSX_LIMIT_MB = 10, 20, 40, 512

_FOLDER = "TERRAFUSION_BENCHMARK_OBJECTS"
_STUDY = UUID("00000000-0000-4000-8000-00000000000d")
_HEADING = Heading(COUNTY, "Bench County", str(_STUDY), datetime(2026, 1, 1, tzinfo=UTC))
_ROLL_YEAR = 2025

_SALES = """
INSERT INTO sales (county_id, sale_id, property_id, sale_date, sale_price, validity_code, source_system, row_hash,
    version, valid_from)
SELECT county_id, 'S' || property_id, property_id, date '2024-01-01' + mod(property_id::int, 730),
    total_value * (0.75 + mod(property_id::int * 7919, 50) / 100.0),
    CASE WHEN mod(property_id::int, 50) = 0 THEN 'unverified' ELSE 'valid' END, 'BENCH', 'h', 1, now()
FROM properties_operational WHERE county_id = :county_id
"""
_ROLL = """
INSERT INTO assessments (county_id, assessment_id, property_id, roll_year, land_value, improvement_value, total_value,
    assessed_value, property_class, source_system, row_hash, version, valid_from)
SELECT county_id, property_id, property_id, :year, land_value, improvement_value, total_value, total_value,
    property_class, 'BENCH', 'h', 1, now()
FROM properties_operational WHERE county_id = :county_id
"""
_JOB = """
INSERT INTO jobs (county_id, job_id, kind, status, parameters, request_digest, submitted_by)
VALUES (:county_id, :job_id, 'ratio_study', 'running', CAST(:parameters AS jsonb), '', 'bench')
"""


def run_pdf(rows: int | None = None) -> BenchmarkResult:
    """The PDF with four charts of a study of `rows` sales; beside it a report of an area with 20 charts."""
    rows = rows or SALES
    with TemporaryDirectory() as folder, LocalPostgres(Path(folder, "postgres"), durable=False) as server:
        address = _database(server, rows)
        with unit_of_work(COUNTY) as connection:
            connection.execute(text(_SALES), {"county_id": COUNTY})
        objects = str(Path(folder, "objects"))
        _measured("study", address, objects)
        parts = ("pdf", "html", "typst", "area")
        report, html, typst, area = (_measured(what, address, objects) for what in parts)
    return BenchmarkResult(
        name="report_pdf",
        rows=rows,
        seconds=report["seconds"],
        peak_rss_mb=report["peak_rss_mb"],
        ratio_to_limit=report["seconds"] / typst["seconds"],
        ratio_to_peer=None,
        details={
            "limit_seconds": PDF_LIMIT_S,
            "typst_seconds": typst["seconds"],
            "file_mb": report["file_mb"],
            "html_seconds": html["seconds"],
            "area_report_seconds": area["seconds"],
            "area_report_charts": CHARTS,
            "area_report_limit_seconds": AREA_LIMIT_S,
        },
    )


def run_packet(rows: int | None = None) -> BenchmarkResult:
    """`rows` evidence packets of all elements, one after the other as a day's hearings ask for them."""
    rows = rows or PACKETS
    with TemporaryDirectory() as folder, LocalPostgres(Path(folder, "postgres"), durable=False) as server:
        address = _database(server, SALES)
        with unit_of_work(COUNTY) as connection:
            connection.execute(text(_SALES), {"county_id": COUNTY})
            for number in range(1, rows + 1):
                value = valuation().model_copy(
                    update={"valuation_id": UUID(int=number), "property_id": _packet_property(number)}
                )
                valuations.add(connection, COUNTY, value, "")
        objects = str(Path(folder, "objects"))
        _measured("study", address, objects)
        first = _measured("packet", address, objects)
        all_of_them = _measured(f"packets {rows}", address, objects)
    return BenchmarkResult(
        name="appeal_packet",
        rows=rows,
        seconds=all_of_them["seconds"],
        peak_rss_mb=all_of_them["peak_rss_mb"],
        ratio_to_limit=all_of_them["seconds"] / (PACKETS_LIMIT_S * rows / PACKETS),
        ratio_to_peer=None,
        details={
            "packet_seconds": first["seconds"],
            "packet_limit_seconds": PACKET_LIMIT_S,
            "limit_seconds": PACKETS_LIMIT_S,
            "file_mb": first["file_mb"],
        },
    )


def _packet_property(number: int) -> str:
    return f"{number:010}"


def run_xlsx(rows: int | None = None) -> BenchmarkResult:
    """The roll of `rows` parcels as a workbook."""
    rows = rows or ROLL_ROWS
    with TemporaryDirectory() as folder, LocalPostgres(Path(folder, "postgres"), durable=False) as server:
        address = _database(server, rows)
        with unit_of_work(COUNTY) as connection:
            connection.execute(text(_ROLL), {"county_id": COUNTY, "year": _ROLL_YEAR})
        roll, csv, bare = (_measured(what, address, folder) for what in ("xlsx", "csv", "bare_xlsx"))
    return BenchmarkResult(
        name="report_xlsx",
        rows=rows,
        seconds=roll["seconds"],
        peak_rss_mb=roll["peak_rss_mb"],
        ratio_to_limit=roll["seconds"] / bare["seconds"],
        ratio_to_peer=None,
        details={
            "limit_seconds": XLSX_LIMIT_S,
            "limit_mb": XLSX_LIMIT_MB,
            "xlsxwriter_seconds": bare["seconds"],
            "file_mb": roll["file_mb"],
            "csv_seconds": csv["seconds"],
        },
    )


def _measured(what: str, address: str, objects: str) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.reports", *what.split()],
        env={**os.environ, _ADDRESS: address, _FOLDER: objects},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def _keep_objects_in(folder: Path) -> None:
    def put(key: str, body: bytes, *_: object) -> None:
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)

    def get(key: str) -> bytes:
        path = folder / key
        if not path.is_file():
            raise NotFound(key)
        return path.read_bytes()

    setattr(storage, "put", put)  # noqa: B010 - in place of S3
    setattr(storage, "get", get)  # noqa: B010


def _study() -> dict[str, float]:
    request = RatioStudyRequest.model_validate(
        {
            "value_source": "assessed",
            "from": date(2024, 1, 1),
            "to": date(2025, 12, 31),
            "strata": ["neighborhood", "property_class"],
        }
    )
    parameters = request.model_dump(mode="json", by_alias=True)
    with unit_of_work(COUNTY) as connection:
        keys = {"county_id": COUNTY, "job_id": _STUDY, "parameters": json.dumps(parameters)}
        connection.execute(text(_JOB), keys)
    job = RunningJob(COUNTY, _STUDY, parameters, "bench")
    started = time.perf_counter()
    results = study.run(job)
    storage.put(results_key(COUNTY, _STUDY), results.model_dump_json().encode())
    with unit_of_work(COUNTY) as connection:
        connection.execute(text("UPDATE jobs SET status = 'succeeded', finished_at = now()"))
    return {"seconds": time.perf_counter() - started}


def _requested(report_type: str, file_format: str, parameters: dict[str, Any]) -> ReportRequest:
    document = {"report_type": report_type, "format": file_format, "parameters": parameters}
    return ReportRequest.model_validate(document)


def _of_the_study(file_format: str) -> ReportRequest:
    return _requested("sales_ratio_study", file_format, {"ratio_study_id": str(_STUDY)})


def _file(file_format: str) -> dict[str, float]:
    return _timed(lambda: build(_HEADING, _of_the_study(file_format)).content)


def _typst() -> dict[str, float]:
    """Typst alone, of a view that is ready; in a process of its own, for it remembers what it has typeset."""
    report = REPORT_TYPES["sales_ratio_study"].build(_HEADING, _of_the_study("pdf").parameters)
    view = pdf_view(page_of(_HEADING, report.title, report.contents))
    template = TEMPLATE.read_bytes()
    return _timed(lambda: to_pdf(template, view, _HEADING.generated_at))


def _area() -> dict[str, float]:
    """A report of 20 charts, as a mass appraisal report of many areas has them, with the tables of its study."""

    def content() -> bytes:
        found, sales = read_study(COUNTY, _STUDY), read_sales(COUNTY, _STUDY)
        with unit_of_work(COUNTY) as connection:
            parcels = properties.placed_parcels(connection, COUNTY)
        report = REPORT_TYPES["sales_ratio_study"].build(_HEADING, _of_the_study("pdf").parameters)
        charts = chart_sections(found.results, sales, parcels)
        drawn = [drawing for section in charts for block in section.blocks for drawing in _drawings(block)]
        added = [Section(f"Area {number}", [Columns(drawn)]) for number in range(1, CHARTS // len(drawn))]
        contents = Contents(report.contents.facts, [*report.contents.sections, *added], has_outline=True)
        return write_pdf(page_of(_HEADING, "Area Report", contents))

    return _timed(content)


def _drawings(block: Any) -> list[Any]:
    return list(block.drawings) if isinstance(block, Columns) else []


def _packets(count: int) -> dict[str, float]:
    def content() -> bytes:
        made = b""
        for number in range(1, count + 1):
            parameters = {"property_id": _packet_property(number), "reference": f"2026-{number:04}"}
            made = build(_HEADING, _requested("evidence_packet", "pdf", parameters)).content
        return made

    return _timed(content)


def _roll(file_format: str) -> dict[str, float]:
    request = _requested("assessment_roll", file_format, {"roll_year": _ROLL_YEAR})
    return _timed(lambda: build(_HEADING, request).content)


def _bare_xlsx() -> dict[str, float]:
    """The same cells by XlsxWriter alone, held in memory before."""
    from xlsxwriter import Workbook

    from functions.reporting.reports.assessment_roll import ROLL_COLUMNS
    from functions.reporting.repository import rolls

    rows = [
        [float(cell) if number >= 6 and cell is not None else cell for number, cell in enumerate(row)]
        for row in rolls.assessments(COUNTY, _ROLL_YEAR, ROLL_COLUMNS)
    ]
    with TemporaryDirectory() as folder:
        started = time.perf_counter()
        with Workbook(str(Path(folder, "bare.xlsx")), {"constant_memory": True, "tmpdir": folder}) as workbook:
            sheet = workbook.add_worksheet()
            for number, row in enumerate(rows):
                for column, cell in enumerate(row):
                    if isinstance(cell, float):
                        sheet.write_number(number, column, cell)
                    elif cell is not None:
                        sheet.write_string(number, column, cell)
        return {"seconds": time.perf_counter() - started}


def _timed(content: Callable[[], bytes]) -> dict[str, float]:
    started = time.perf_counter()
    size = len(content())
    return {"seconds": time.perf_counter() - started, "file_mb": round(size / 1e6, 2)}


if __name__ == "__main__":
    _use(os.environ[_ADDRESS])
    _keep_objects_in(Path(os.environ[_FOLDER]))
    parts: dict[str, Callable[[], dict[str, float]]] = {
        "study": _study,
        "pdf": lambda: _file("pdf"),
        "html": lambda: _file("html"),
        "typst": _typst,
        "area": _area,
        "packet": lambda: _packets(1),
        "packets": lambda: _packets(int(sys.argv[2])),
        "xlsx": lambda: _roll("xlsx"),
        "csv": lambda: _roll("csv"),
        "bare_xlsx": _bare_xlsx,
    }
    measured = parts[sys.argv[1]]()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({**measured, "peak_rss_mb": round(peak, 1)}))
