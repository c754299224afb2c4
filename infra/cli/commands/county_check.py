"""`terrafusion county check`: whether a county's source can be synced, before anything is."""

import json
from pathlib import Path
from typing import Any

import typer

from infra.cli.session import SignIn, console, takes_sign_in
from infra.cli.tables import WholeTable


@takes_sign_in
def check(
    sign_in: SignIn,
    county_id: str = typer.Argument(help="The county, onboarded already."),
    mapping: Path | None = typer.Option(None, help="A mapping to check the source by; else the county's own."),
    table: str | None = typer.Option(None, help="The target table to check; else all of the mapping's."),
    as_json: bool = typer.Option(False, "--json", help="Print what the API answers."),
) -> None:
    """Check a county's source before anything is synced: connection, columns, rows, keys, and values.

    Nothing is stored. The exit code is 1 where a sync would fail or lose rows.
    """
    body: dict[str, Any] = {"table": table}
    if mapping is not None:
        try:
            body["mapping"] = mapping.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise typer.BadParameter(f"{mapping} cannot be read as UTF-8: {error}") from None
    with sign_in() as client:
        checked = client.post(f"/v1/counties/{county_id}/source-check", body)
    if as_json:
        print(json.dumps(checked, indent=1, ensure_ascii=False))
    else:
        _show(checked)
    if not checked["ready"]:
        raise typer.Exit(1)


def _show(checked: dict[str, Any]) -> None:
    out = console()
    if checked["fault"]:
        out.print(f"The source cannot be read: {checked['fault']}", markup=False, soft_wrap=True)
        return
    shown = WholeTable("table", "source", "rows", "key", "sample", "")
    for table in checked["tables"]:
        key, sample = table["key"], table["sample"]
        shown.add_row(
            table["table"],
            table["source"],
            "" if table["rows"] is None else f"{table['rows']:,}",
            "" if key is None else f"{', '.join(key['columns'])} ({_extent(key)})",
            "" if sample is None else f"{sample['rows'] - sample['rejected']} of {sample['rows']} good",
            "ready" if table["ready"] else "not ready",
        )
    out.print(shown)
    for table in checked["tables"]:
        for fault in table["faults"]:
            out.print(f"{table['table']}: {fault}", markup=False, soft_wrap=True)
        for reason in (table["sample"] or {"reasons": []})["reasons"]:
            text = f"{table['table']}: {reason['rows']} row(s) of the sample rejected by {reason['rule']} of"
            out.print(f"{text} {reason['field']}: {reason['message']}", markup=False, soft_wrap=True)
        if table["unmapped_columns"]:
            names = ", ".join(table["unmapped_columns"])
            out.print(f"{table['table']}: no field takes {names}", markup=False, soft_wrap=True)


def _extent(key: dict[str, Any]) -> str:
    return "all compared" if key["complete"] else f"the first {key['rows']:,} compared"
