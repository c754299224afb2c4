"""`terrafusion mapping`: a mapping checked, and tried on a few rows."""

import csv
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from infra.cli.commands.lazy import LazyCommand, lazy_group
from infra.cli.session import SignIn, console, takes_sign_in
from infra.cli.tables import WholeTable
from shared.mapping import READ_FAULT, CountyMapping, MappingError, parse_mapping

if TYPE_CHECKING:
    import polars as pl

_INIT = "infra.cli.commands.mapping_init"

app = typer.Typer(
    no_args_is_help=True,
    cls=lazy_group(
        {
            "targets": LazyCommand(f"{_INIT}:targets", "List the tables and columns that a mapping can fill."),
            "init": LazyCommand(f"{_INIT}:init", "Propose a first mapping of files, or of a secret's database."),
            "check": LazyCommand(
                "infra.cli.commands.mapping:check",
                "Check a mapping, and show what it makes of some rows: source, result and reasons side by side.",
            ),
        }
    ),
)

_SHOWN = 60
"""Characters of a value that a table shows."""


@app.callback()
def mapping() -> None:
    """Check mappings, and try them."""


@takes_sign_in
def check(
    sign_in: SignIn,
    subject: str = typer.Argument(metavar="FOLDER|COUNTY", help="A folder with mapping.yaml, or an onboarded county."),
    sample: Path | None = typer.Option(None, help="Rows to try it on: a CSV file with the source's columns."),
    table: str | None = typer.Option(None, help="The target table to try; by default the first."),
    rows: int = typer.Option(5, min=1, max=100, help="How many rows to show."),
) -> None:
    """Check a mapping, and show what it makes of some rows: source, result and reasons side by side.

    A county's own mapping is tried on its source, or on the SAMPLE; that of a folder needs no server.
    """
    folder = Path(subject)
    if not folder.is_dir():
        body: dict[str, Any] = {"table": table, "sample_size": rows}
        if sample is not None:
            body["rows"] = _rows(sample, rows).to_dicts()
        with sign_in() as client:
            preview = client.post(f"/v1/counties/{subject}/mapping/preview", body)
        _show(preview["table"], preview["rows"])
        return
    mapping = _parsed(folder / "mapping.yaml")
    console().print(f"{folder / 'mapping.yaml'}: {len(mapping.table_mappings)} table(s), no fault.")
    if sample is not None:
        _try(mapping, table or mapping.table_mappings[0].target_table_name, _rows(sample, rows))


def _parsed(file: Path) -> CountyMapping:
    try:
        return parse_mapping(file.read_text())
    except OSError as error:
        raise typer.BadParameter(f"{file} cannot be read: {error.strerror}") from None
    except MappingError as error:
        for problem in error.diagnostics:
            console().print(f"{file}:{problem.line}:{problem.column}: {problem.message}", markup=False, soft_wrap=True)
        raise typer.Exit(1) from None


def _rows(sample: Path, rows: int) -> "pl.DataFrame":
    import polars as pl

    try:
        with sample.open(encoding="utf-8-sig", newline="") as file:
            records = [record for record in islice(csv.reader(file), rows + 1) if record]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise typer.BadParameter(f"{sample} cannot be read as CSV: {error}") from None
    if not records:
        raise typer.BadParameter(f"{sample} is empty: it has no header line")
    header, *fields = records
    width = len(header)
    frame = pl.DataFrame(
        [[field or None for field in (*record, *[""] * width)[:width]] for record in fields],
        schema=dict.fromkeys(header, pl.String),
        orient="row",
    )
    # as a sync takes it: a record with another number of fields is none
    faults = [
        None if len(row) == width else f"the record has {len(row)} fields and the header {width}" for row in fields
    ]
    return frame.with_columns(pl.Series(READ_FAULT, faults, dtype=pl.String)) if any(faults) else frame


def _try(mapping: CountyMapping, target: str, frame: "pl.DataFrame") -> None:
    from shared.mapping.compile.tables import compile_table

    mapped = {table_mapping.target_table_name: table_mapping for table_mapping in mapping.table_mappings}
    if target not in mapped:
        raise typer.BadParameter(f"the mapping fills {', '.join(mapped)}, not {target}")
    if mapped[target].lookups:
        raise typer.BadParameter(f"{target} uses lookups, which need the source: onboard the county, and name it")
    missing = sorted(mapped[target].source_fields - set(frame.columns))
    if missing:
        raise typer.BadParameter(f"the sample has no column {', '.join(missing)}, which the mapping names")
    explained = compile_table(mapping, target, today=datetime.now(UTC).date()).explain(frame)
    _show(target, [{name: json.loads(text) for name, text in row.items()} for row in explained.iter_rows(named=True)])


def _show(target: str, rows: list[Mapping[str, Any]]) -> None:
    """One table a row: its source beside its result, and the reasons below."""
    out = console()
    for number, row in enumerate(rows, start=1):
        state = "rejected" if row["rejected"] else "with warnings" if row["warned"] else "good"
        out.print(f"{target}, row {number}: {state}")
        shown = WholeTable()
        for heading in ("source", "", "result", ""):
            shown.add_column(heading, overflow="fold")
        source, result = (
            [(name, value) for name, value in row[part].items() if part == "source_row" or value is not None]
            for part in ("source_row", "result")
        )
        for line in range(max(len(source), len(result))):
            cells = [*_cells(source, line), *_cells(result, line)]
            shown.add_row(*cells)
        out.print(shown)
        for reason in row["rejected"]:
            out.print(f"  rejected by {reason['rule']} of {reason['field']}: {reason['message']}", markup=False)
        for reason in row["warned"]:
            out.print(f"  warning by {reason['rule']} of {reason['field']}: {reason['message']}", markup=False)
    bad = sum(bool(row["rejected"]) for row in rows)
    out.print(f"{len(rows)} row(s): {len(rows) - bad} good, {bad} rejected.")


def _cells(pairs: list[tuple[str, Any]], line: int) -> tuple[str, str]:
    if line >= len(pairs):
        return "", ""
    name, value = pairs[line]
    text = "NULL" if value is None else str(value)
    return name, text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."
