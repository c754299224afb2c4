"""`terrafusion ratio-study`: a ratio study of a file of values and prices, without a county and without a server."""

import csv
import gzip
import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer
from rich.console import Group

from infra.cli.errors import CommandError
from infra.cli.session import console
from infra.cli.tables import WholeTable
from shared.appraisal.errors import AppraisalInputError
from shared.appraisal.pair_study import Pairs, StratumOfPairs, read_pairs, study_pairs
from shared.appraisal.ratio_study import Options, RatioStudy
from shared.appraisal.verdicts import STANDARD, Uniformity

_PRICES = ("sale_price", "saleprice", "price", "sales_price", "sale_amount", "sp")
_VALUES = (
    *("value", "estimate", "assessed_value", "appraised_value", "assessed", "appraised", "market_value", "total_value"),
    *("av",),
)
_KINDS = tuple(kind.name.lower() for kind in Uniformity)
_MAX_LISTED = 5
_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"


def ratio_study(
    file: Path = typer.Argument(help="A CSV file with a header, plain, as .gz or alone in a .zip."),
    value: str | None = typer.Option(
        None, "--value", help="The column of values; found by its name where it is usual."
    ),
    price: str | None = typer.Option(None, "--price", help="The column of sale prices."),
    stratum: list[str] = typer.Option([], "--stratum", help="A column that strata are made of."),
    kind: str | None = typer.Option(
        None, "--kind", help=f"Which range of COD holds: {', '.join(map(str, Uniformity))}."
    ),
    trim: bool = typer.Option(True, help="Leave out ratios beyond three interquartile ranges."),
    iterations: int = typer.Option(1000, min=100, max=10_000, help="Bootstrap resamples."),
    as_json: bool = typer.Option(False, "--json", help="Print all of it as JSON."),
) -> None:
    """Study the values and prices of FILE. Rows without a ratio are left out and told."""
    header, rows, lines = _read(file)
    columns = [_column(header, value, _VALUES, "--value"), _column(header, price, _PRICES, "--price")]
    places = [_column(header, name, (), "--stratum") for name in stratum]
    pairs = read_pairs([(row[columns[0]], row[columns[1]]) for row in rows], written=True)
    strata = {name: [rows[at][column] for at in pairs.positions] for name, column in zip(stratum, places, strict=True)}
    try:
        overall, results = study_pairs(pairs, strata, _kind(kind), Options(trim=trim, iterations=iterations))
    except AppraisalInputError as error:
        raise CommandError(f"{file} cannot be studied: {error.problem}.{_left_out(pairs, lines)}") from error
    if as_json:
        print(json.dumps(_document(overall, results, pairs, lines), default=str))
        return
    console().print(_shown(overall, results, _left_out(pairs, lines).strip()))


def _read(file: Path) -> tuple[list[str], list[list[str]], list[int]]:
    """The header, the rows that are not blank, and on which line of the file each ends."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
    try:
        text = _unpacked(file, content).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CommandError(f"{file} is not UTF-8 at byte {error.start}: save it as CSV UTF-8.") from error
    rows = csv.reader(io.StringIO(text, newline=""))
    try:
        header = [name.strip() for name in next(rows, [])]
        records = [(row, rows.line_num) for row in rows if row]
    except csv.Error as error:
        raise CommandError(f"{file} is no CSV file at line {rows.line_num}: {error}.") from error
    short = next((line for row, line in records if len(row) < len(header)), None)
    if short is not None:
        raise CommandError(f"{file}, line {short}: it has fewer than the {len(header)} columns of the header.")
    return header, [row for row, _ in records], [line for _, line in records]


def _unpacked(file: Path, content: bytes) -> bytes:
    try:
        if content.startswith(_GZIP):
            return gzip.decompress(content)
        if not content.startswith(_ZIP):
            return content
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = [name for name in archive.namelist() if name.lower().endswith(".csv")]
            if len(names) != 1:
                raise CommandError(f"{file} holds {len(names)} CSV files: give one.")
            return archive.read(names[0])
    except (OSError, EOFError, zipfile.BadZipFile) as error:
        raise CommandError(f"{file} is damaged: {error}.") from error


def _column(header: Sequence[str], name: str | None, usual: Sequence[str], option: str) -> int:
    """Position of a column: the one that is named, or one of a usual name."""
    names = [title.lower().replace(" ", "_") for title in header]
    candidates = [name.lower().replace(" ", "_")] if name is not None else list(usual)
    places = [names.index(title) for title in candidates if title in names]
    if not places:
        missing = f"There is no column {name!r}" if name is not None else "No column has a usual name"
        raise CommandError(f"{missing}; the file has {', '.join(header) or 'none'}. Name one with {option}.")
    return places[0]


def _kind(name: str | None) -> Uniformity | None:
    try:
        return None if name is None else Uniformity[name.upper()]
    except KeyError as error:
        raise CommandError(f"{name!r} is no kind of property; there are {', '.join(_KINDS)}.") from error


def _left_out(pairs: Pairs, lines: Sequence[int]) -> str:
    """The rows without a ratio, with their lines in the file."""
    if not pairs.faults:
        return ""
    listed = "; ".join(
        f"line {lines[fault.position]}: the {fault.side} {fault.problem}" for fault in pairs.faults[:_MAX_LISTED]
    )
    unlisted = len(pairs.faults) - _MAX_LISTED
    return (
        f" {len(lines) - len(pairs.positions):,} of {len(lines):,} rows have no ratio and are left out: {listed}"
        f"{f'; and {unlisted:,} more' if unlisted > 0 else ''}."
    )


def _shown(overall: RatioStudy, strata: Sequence[StratumOfPairs], left_out: str) -> Group:
    table = WholeTable("statistic", "value", "95 % interval", title=f"{overall.sales:,} sales, by the {STANDARD}")
    for name, measured in overall.statistics.items():
        bounds = measured.interval
        interval = f"{bounds.low:.4f} to {bounds.high:.4f}" if bounds else "-"
        table.add_row(name.replace("_", " "), f"{measured.value:.4f}", interval)
    parts: list[Any] = [table, *(f"  {verdict.sentence}" for verdict in overall.verdicts)]
    parts += [f"  ! {note}" for note in (*overall.notes, left_out) if note]
    if strata:
        by = WholeTable("stratum", "value", "sales", "median", "COD", "PRD", "PRB", "")
        for stratum in strata:
            by.add_row(stratum.name, stratum.level, f"{stratum.sales:,}", *_figures(stratum))
        parts.append(by)
    return Group(*parts)


def _figures(stratum: StratumOfPairs) -> list[str]:
    if stratum.study is None:
        return ["-", "-", "-", "-", stratum.reason or ""]
    statistics = stratum.study.statistics
    return [
        *(f"{statistics[name].value:.3f}" if name in statistics else "-" for name in ("median", "cod", "prd", "prb")),
        "",
    ]


def _document(
    overall: RatioStudy, strata: Sequence[StratumOfPairs], pairs: Pairs, lines: Sequence[int]
) -> dict[str, Any]:
    return {
        "standard": STANDARD,
        "rows": len(lines),
        "overall": _study_document(overall),
        "strata": [
            {
                "stratum": stratum.name,
                "value": stratum.level,
                "sales": stratum.sales,
                "reason": stratum.reason,
                "study": None if stratum.study is None else _study_document(stratum.study),
            }
            for stratum in strata
        ],
        "left_out": [
            {"line": lines[fault.position], "column": fault.side, "problem": fault.problem} for fault in pairs.faults
        ],
    }


def _study_document(study: RatioStudy) -> dict[str, Any]:
    return {
        "sales": study.sales,
        "statistics": {name: asdict(measured) for name, measured in study.statistics.items()},
        "verdicts": [asdict(verdict) for verdict in study.verdicts],
        "trimmed": study.trimming.trimmed,
        "notes": list(study.notes),
    }
