"""`terrafusion sync`: run a county's syncs, watch them, look at what they change, decide."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from infra.cli.commands.lazy import lazy_group
from infra.cli.session import SignIn, console, takes_sign_in
from infra.cli.tables import WholeTable
from terrafusion import Client

SHOWN = 20
"""Rows of a list that a command prints unless it is told otherwise."""

County = typer.Argument(help="The county.")
Run = typer.Argument(help="The run's id, as `sync runs` shows it.")
Watch = typer.Option(True, "--watch/--no-watch", help="Follow the run to its end.")
Limit = typer.Option(SHOWN, "--limit", min=1, help="How many rows.")
ValidateOnly = typer.Option(False, help="Stop before anything is applied.")
Tables = typer.Option(None, "--table", help="Rows of this table only.")


app = typer.Typer(cls=lazy_group({}, default="run"), no_args_is_help=True)  # `sync COUNTY` is `sync run COUNTY`


@app.command()
@takes_sign_in
def run(
    sign_in: SignIn,
    county_id: str = County,
    mode: str | None = typer.Option(None, help="full, incremental or snapshot; by default what the county says."),
    validate_only: bool = ValidateOnly,
    watch: bool = Watch,
) -> None:
    """Sync COUNTY_ID from its legacy system, and watch."""
    screen = console()
    request: dict[str, Any] = {"validate_only": validate_only} | ({"mode": mode} if mode else {})
    with sign_in() as client:
        _go(client, screen, _runs(county_id), request, watch=watch)


@app.command("runs")
@takes_sign_in
def list_runs(
    sign_in: SignIn,
    county_id: str = County,
    limit: int = Limit,
) -> None:
    """The county's syncs, the newest first."""
    with sign_in() as client:
        page = client.get(_runs(county_id), page_size=limit)
    table = WholeTable("run", "started", "by", "mode", "status", "rows", "rows/s", "quarantined", "why")
    for item in page["items"]:
        read, rejected = (sum(counts[name] for counts in item["tables"].values()) for name in ("read", "rejected"))
        started = (item["started_at"] or item["created_at"])[:19]
        speed = f"{item['rows_per_second']:,.0f}" if item["rows_per_second"] else ""
        by = f"{item['submitted_by']} ({item['trigger']})"
        why = item["error"]["detail"] if item["error"] else ", ".join(find["guard"] for find in item["guard_findings"])
        counts = (f"{read:,}", speed, f"{rejected:,}")
        table.add_row(item["id"], started, by, item["mode"], item["status"], *counts, why)
    console().print(table)


@app.command()
@takes_sign_in
def show(
    sign_in: SignIn,
    county_id: str = County,
    run_id: str = Run,
    watch: bool = typer.Option(False, "--watch/--no-watch", help="Follow the run to its end."),
) -> None:
    """One sync: how far it is, what it found, and why it waits or failed."""
    screen = console()
    with sign_in() as client:
        run = client.get(f"{_runs(county_id)}/{run_id}")
        if watch:
            run = follow(client, screen, run)
        findings = _findings(client, run)
    screen.print(run_table(run))
    _print_reasons(screen, run)
    if findings is not None:
        screen.print(findings)


@app.command()
@takes_sign_in
def changes(
    sign_in: SignIn,
    county_id: str = County,
    run_id: str = Run,
    table: str | None = Tables,
    field: str | None = typer.Option(None, help="Rows that differ in this field only."),
    limit: int = Limit,
) -> None:
    """The changes of a sync that waits, or of one that was applied."""
    screen = console()
    with sign_in() as client:
        path = f"{_runs(county_id)}/{run_id}"
        summary = client.get(f"{path}/changes/summary")
        page = client.get(f"{path}/changes", table=table, field=field, page_size=limit)
        findings = _findings(client, client.get(path))
    screen.print(totals_table(summary))
    screen.print(change_table(page["items"]))
    if findings is not None:
        screen.print(findings)


@app.command()
@takes_sign_in
def rejected(
    sign_in: SignIn,
    county_id: str = County,
    run_id: str = Run,
    table: str | None = Tables,
    save: Path | None = typer.Option(None, help="Write all of them to this CSV file instead."),
    limit: int = Limit,
) -> None:
    """The rows that a sync put into quarantine, with the reasons."""
    screen = console()
    rows = f"{_runs(county_id)}/{run_id}/rejected-rows"
    with sign_in() as client:
        if save is not None:
            query = f"?table={table}" if table else ""
            screen.print(f"Written to {client.download(f'{rows}/export{query}', save)}.")
            return
        page = client.get(rows, table=table, page_size=limit)
    shown = WholeTable("table", "key", "field", "reason", "now")
    for row in page["items"]:
        for reason in row["reasons"]:
            now = row["resolution"] or "open"
            shown.add_row(row["table"], row["source_key"] or "", reason["field"], reason["message"], now)
    screen.print(shown)


@app.command()
@takes_sign_in
def replay(
    sign_in: SignIn,
    county_id: str = County,
    run_id: str = Run,
    table: str | None = Tables,
    validate_only: bool = ValidateOnly,
    watch: bool = Watch,
) -> None:
    """Map a sync's rows in quarantine again, with the county's mapping of now; the source is not read."""
    screen = console()
    with sign_in() as client:
        request: dict[str, Any] = {"validate_only": validate_only} | ({"table": table} if table else {})
        _go(client, screen, f"{_runs(county_id)}/{run_id}/rejected-rows/replay", request, watch=watch)


@app.command()
@takes_sign_in
def approve(
    sign_in: SignIn,
    county_id: str = County,
    run_id: str = Run,
    reason: str | None = typer.Option(None, help="Why; of rows of a closed roll, the reason of the correction."),
    watch: bool = Watch,
) -> None:
    """Apply exactly what a waiting sync shows."""
    screen = console()
    with sign_in() as client:
        _go(client, screen, f"{_runs(county_id)}/{run_id}/approve", {"reason": reason}, watch=watch)


@app.command()
@takes_sign_in
def cancel(
    sign_in: SignIn,
    county_id: str = County,
    run_id: str = Run,
) -> None:
    """Drop a sync that has not been applied."""
    with sign_in() as client:
        ended = client.post(f"{_runs(county_id)}/{run_id}/cancel", {})
    console().print(f"Sync {ended['id']} is {ended['status']}.")


@app.command("roll-back")
@takes_sign_in
def roll_back(
    sign_in: SignIn,
    county_id: str = County,
    run_id: str = Run,
    dry_run: bool = typer.Option(False, "--dry-run", help="Show what would go back, and what stands against it."),
    skip_conflicts: bool = typer.Option(False, "--skip-conflicts", help="Roll back what nothing stands against."),
    reason: str | None = typer.Option(None, help="Why."),
    watch: bool = Watch,
) -> None:
    """Take an applied sync back: every row as it was before. The next sync waits for approval."""
    request = {"dry_run": dry_run, "skip_conflicts": skip_conflicts, "reason": reason}
    with sign_in() as client:
        _go(client, console(), f"{_runs(county_id)}/{run_id}/roll-back", request, watch=watch)


@app.command()
@takes_sign_in
def resume(
    sign_in: SignIn,
    county_id: str = County,
    run_id: str = Run,
    watch: bool = Watch,
) -> None:
    """Go on with a sync that failed or was cut short; what it finished is not done again."""
    screen = console()
    with sign_in() as client:
        _go(client, screen, f"{_runs(county_id)}/{run_id}/resume", {}, watch=watch)


def run_sync(client: Client, screen: Console, county_id: str) -> dict[str, Any]:
    """Submit a run and follow it to its end. Raises ProblemError, JobFailedError."""
    return follow(client, screen, client.post(_runs(county_id), {}))


def follow(client: Client, screen: Console, run: Mapping[str, Any]) -> dict[str, Any]:
    """Show a run's progress until it ends. Raises ProblemError, JobFailedError."""
    columns = (TextColumn("  {task.description:<24}"), BarColumn(), TextColumn("{task.fields[counts]}"))
    with Progress(*columns, TimeElapsedColumn(), console=screen, transient=True) as progress:
        bar = progress.add_task("", total=None, counts="")

        def watch(current: Mapping[str, Any]) -> None:
            partitions = current["partitions"]
            progress.update(
                bar,
                description=current["progress"]["step"] or current["status"],
                total=partitions["total"] or None,
                completed=partitions["done"],
                counts=progress_text(current),
            )

        return client.wait(run, watch)


def progress_text(run: Mapping[str, Any]) -> str:
    """A run's partitions, rows, rejects, speed and time left, as the API says them."""
    partitions = run["partitions"]
    read, rejected_rows = (sum(table[name] for table in run["tables"].values()) for name in ("read", "rejected"))
    parts = [f"{partitions['done']}/{partitions['total']} partitions", f"{read:,} rows"]
    if rejected_rows:
        parts.append(f"{rejected_rows:,} quarantined")
    if run["rows_per_second"]:
        parts.append(f"{run['rows_per_second']:,.0f} rows/s")
    if run["seconds_left"] is not None:
        minutes, seconds = divmod(round(run["seconds_left"]), 60)
        parts.append(f"{minutes}:{seconds:02} left")
    return ", ".join(parts)


def run_table(run: Mapping[str, Any]) -> WholeTable:
    """Counts of a run by table."""
    table = WholeTable(
        "table",
        "read by",
        "read",
        "added",
        "changed",
        "removed",
        "quarantined",
        title=f"{run['status']}: sync {run['id']}",
    )
    for name, counts in run["tables"].items():
        numbers = (counts[key] for key in ("read", "added", "changed", "removed", "rejected"))
        table.add_row(name, counts["read_by"], *(f"{number:,}" for number in numbers))
    return table


def _runs(county_id: str) -> str:
    return f"/v1/counties/{county_id}/sync-runs"


def _go(client: Client, screen: Console, path: str, body: Mapping[str, Any], *, watch: bool) -> None:
    """Submit what starts or goes on with a run, and follow it."""
    submitted = client.post(path, body)
    if not watch:
        screen.print(f"Sync [bold]{submitted['id']}[/] is {submitted['status']}.")
        return
    ended = follow(client, screen, submitted)
    screen.print(run_table(ended))
    _print_reasons(screen, ended)


def _print_reasons(screen: Console, run: Mapping[str, Any]) -> None:
    """Why a run waits, or failed."""
    for finding in run["guard_findings"]:
        screen.print(f"[bold]{finding['guard']}[/] {finding['table']}: {finding['detail']}")
    for name, counts in run["tables"].items():
        if counts.get("repeated_keys"):
            screen.print(
                f"[bold]repeated keys[/] {name}: {counts['repeated_keys']:,} of {counts['read']:,} rows were left out,"
                " because an earlier row has the same key: the mapping's key does not tell rows apart"
                f" (terrafusion sync rejected ... shows them)."
            )
    for note in run["notes"]:
        screen.print(f"[bold]{note['note']}[/] {note['table']}: {note['detail']}")
    if run["error"]:
        screen.print(f"[bold]{run['error']['type']}[/] {run['error']['detail']}")


def _findings(client: Client, run: Mapping[str, Any]) -> WholeTable | None:
    """Findings of a run: conflicts with decisions, changes of closed rolls."""
    if not run["findings"]:
        return None
    page = client.get(f"{run['links']['self']}/findings", page_size=SHOWN)
    counts = ", ".join(f"{number:,} {kind}" for kind, number in sorted(run["findings"].items()))
    table = WholeTable("table", "key", "field", "finding", title=f"findings: {counts}")
    for finding in page["items"]:
        table.add_row(
            finding["table"], finding["key"], finding["field"] or "", _said(finding["kind"], finding["details"])
        )
    return table


def _said(kind: str, details: Mapping[str, Any]) -> str:
    match kind:
        case "override_conflict":
            return (
                f"{_text(details['decided'])}, decided by {details['decided_by']} ({details['origin']}), gives way to"
                f" the county's {_text(details['source'])} (before: {_text(details['source_before'])})"
            )
        case "values_disagree":
            values = " + ".join(_text(details[name]) for name in ("land_value", "improvement_value"))
            return f"{values} is not the total of {_text(details['total_value'])}"
        case "later_change" if "closed_roll" in details:
            return f"on the closed roll of {details['closed_roll']}"
        case "later_change":
            by = details.get("changed_by") or f"run {details.get('changed_by_run')}"
            return f"{', '.join(details.get('fields', []))} changed since, by {by}"
        case _:
            return f"{details['change']} on the closed roll of {details['roll_year']}"


def change_table(changes: Sequence[Mapping[str, Any]]) -> WholeTable:
    """Changes row by row and field by field."""
    rows = WholeTable("table", "key", "change", "field", "old", "new")
    for change in changes:
        fields = change["fields"] if change["change"] == "changed" else []
        for index, one_field in enumerate(fields or [{"field": "", "old": None, "new": None}]):
            head = (change["table"], change["key"], change["change"]) if index == 0 else ("", "", "")
            rows.add_row(*head, one_field["field"], _text(one_field["old"]), _text(one_field["new"]))
    return rows


def totals_table(summary: Mapping[str, Any]) -> WholeTable:
    """The roll by property class, before and after."""
    table = WholeTable("property class", "parcels", "", "total value", "", title="before and after")
    rows = [*summary["property_classes"], {"property_class": "all", **summary}]
    for totals in rows:
        before, after = totals["before"], totals["after"]
        values = (f"{float(side['total_value']):,.0f}" for side in (before, after))
        counts = (f"{side['parcels']:,}" for side in (before, after))
        table.add_row(totals["property_class"] or "(none)", *counts, *values)
    return table


def _text(value: object) -> str:
    return "" if value is None else str(value)
