"""`terrafusion upload`: bring a file, look at what it would change, decide about those that others brought."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from infra.cli.commands.job_progress import wait_with_progress
from infra.cli.commands.lazy import lazy_group
from infra.cli.commands.sync import SHOWN, change_table, follow, run_table, totals_table
from infra.cli.errors import CommandError
from infra.cli.session import SignIn, console, takes_sign_in
from infra.cli.tables import WholeTable
from terrafusion import Client

County = typer.Argument(help="The county.")
File = typer.Argument(exists=True, dir_okay=False, help="The file.")
UploadId = typer.Argument(help="The upload's id, as `upload list` shows it.")
Reason = typer.Option(None, "--reason", help="Why.")
Limit = typer.Option(SHOWN, "--limit", min=1, help="How many rows.")

app = typer.Typer(cls=lazy_group({}, default="send"), no_args_is_help=True)  # `upload COUNTY FILE` is `upload send ...`


@app.command()
@takes_sign_in
def send(
    sign_in: SignIn,
    county_id: str = County,
    file: Path = File,
    table: str | None = typer.Option(None, "--table", help="The table that it fills; by default what its columns say."),
    mapping: Path | None = typer.Option(
        None, "--mapping", exists=True, help="Read it by this mapping, as `send` shows it."
    ),
    yes: bool = typer.Option(False, "--yes", help="Compare it by the proposed mapping without asking."),
) -> None:
    """Bring FILE to COUNTY_ID: send it, look at the mapping that is proposed, and compare it with the county's data."""
    screen = console()
    with sign_in() as client:
        upload = send_file(client, screen, county_id, file, table)
        print_inspection(screen, upload)
        text = mapping.read_text() if mapping is not None else None
        if text is None and not (
            yes or upload["inspection"]["remembered_from"] or typer.confirm("Compare it by this?")
        ):
            screen.print(f"Upload [bold]{upload['id']}[/] waits for a mapping: `upload compare` sends one.")
            return
        _show_comparison(client, screen, upload, text)


@app.command()
@takes_sign_in
def compare(
    sign_in: SignIn,
    county_id: str = County,
    upload_id: str = UploadId,
    mapping: Path | None = typer.Option(None, "--mapping", exists=True, help="Read it by this mapping."),
) -> None:
    """Compare an upload with the county's data, for the first time or again."""
    with sign_in() as client:
        upload = client.get(f"{_uploads(county_id)}/{upload_id}")
        _show_comparison(client, console(), upload, mapping.read_text() if mapping is not None else None)


@app.command("list")
@takes_sign_in
def list_uploads(
    sign_in: SignIn,
    county_id: str = County,
    status: str | None = typer.Option(None, help="Those of one status, as awaiting_approval."),
    limit: int = Limit,
) -> None:
    """The files that people brought, the newest first."""
    with sign_in() as client:
        page = client.get(_uploads(county_id), status=status, page_size=limit)
    table = WholeTable("upload", "file", "by", "table", "status", "added", "changed", "rejected")
    for item in page["items"]:
        counts = item["counts"] or {}
        numbers = (f"{counts[name]:,}" if counts else "" for name in ("added", "changed", "rejected"))
        named = (item["id"], item["filename"], item["created_by"], item["target_table"] or "", item["status"])
        table.add_row(*named, *numbers)
    console().print(table)


@app.command()
@takes_sign_in
def approve(sign_in: SignIn, county_id: str = County, upload_id: str = UploadId, reason: str | None = Reason) -> None:
    """Apply exactly what an upload that somebody else brought shows."""
    screen = console()
    with sign_in() as client:
        screen.print(run_table(approve_upload(client, screen, county_id, upload_id, reason)))


@app.command()
@takes_sign_in
def reject(
    sign_in: SignIn,
    county_id: str = County,
    upload_id: str = UploadId,
    reason: str = typer.Option(..., "--reason", help="Why."),
) -> None:
    """Drop an upload that has not been applied."""
    with sign_in() as client:
        upload = client.post(f"{_uploads(county_id)}/{upload_id}/reject", {"reason": reason})
    console().print(f"Upload {upload['id']} is {upload['status']}.")


@app.command("roll-back")
@takes_sign_in
def roll_back(
    sign_in: SignIn,
    county_id: str = County,
    upload_id: str = UploadId,
    dry_run: bool = typer.Option(False, "--dry-run", help="Show what would go back, and what stands against it."),
    skip_conflicts: bool = typer.Option(False, "--skip-conflicts", help="Roll back what nothing stands against."),
    reason: str | None = Reason,
) -> None:
    """Take an applied upload back: every row as it was before."""
    screen = console()
    request = {"dry_run": dry_run, "skip_conflicts": skip_conflicts, "reason": reason}
    with sign_in() as client:
        run = roll_back_upload(client, screen, county_id, upload_id, request)
    screen.print(run_table(run))
    for finding in run["guard_findings"]:
        screen.print(f"[bold]{finding['guard']}[/] {finding['table']}: {finding['detail']}")


def send_file(client: Client, screen: Console, county_id: str, file: Path, table: str | None = None) -> dict[str, Any]:
    """Announce a file, send it and have it inspected; the upload. Raises TerraFusionError, CommandError."""
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    request = {"filename": file.name, "size_bytes": file.stat().st_size, "sha256": digest}
    upload = client.post(_uploads(county_id), request | ({"target_table": table} if table else {}))
    if upload["same_content_as"]:
        screen.print(f"The same content as upload [bold]{upload['same_content_as']}[/].")
    client.upload(upload["send"]["url"], file, upload["send"]["headers"])
    job = client.post(f"/v1/counties/{county_id}/upload-inspections", {"upload_id": upload["id"]})
    wait_with_progress(client, screen, job)
    inspected: dict[str, Any] = client.get(upload["links"]["self"])
    if inspected["error"]:
        raise CommandError(f"{file.name} is refused: {inspected['error']['detail']}")
    return inspected


def compare_upload(
    client: Client, screen: Console, upload: Mapping[str, Any], mapping: str | None = None
) -> dict[str, Any]:
    """Confirm the mapping of an upload, and follow its comparison; the upload. Raises TerraFusionError."""
    body = {"mapping": mapping} if mapping is not None else {}
    follow(client, screen, client.post(f"{upload['links']['self']}/confirm", body))
    compared: dict[str, Any] = client.get(upload["links"]["self"])
    return compared


def approve_upload(
    client: Client, screen: Console, county_id: str, upload_id: str, reason: str | None = None
) -> dict[str, Any]:
    """Approve an upload and follow its run. Raises TerraFusionError."""
    upload = client.post(f"{_uploads(county_id)}/{upload_id}/approve", {"reason": reason})
    return follow(client, screen, client.get(upload["links"]["run"]))


def roll_back_upload(
    client: Client, screen: Console, county_id: str, upload_id: str, request: Mapping[str, Any]
) -> dict[str, Any]:
    """Roll an upload back and follow the run that does it. Raises TerraFusionError."""
    return follow(client, screen, client.post(f"{_uploads(county_id)}/{upload_id}/roll-back", request))


def print_inspection(screen: Console, upload: Mapping[str, Any]) -> None:
    """A file as it was inspected, and the mapping that is proposed for it."""
    inspection = upload["inspection"]
    rows = f"{inspection['rows']:,} rows" if inspection["rows"] is not None else "rows not counted yet"
    title = f"{upload['filename']}: {inspection['format']}, {rows}, for {inspection['target_table'] or 'no table'}"
    table = WholeTable("column", "field", "because", title=title)
    for field in inspection["fields"]:
        table.add_row(field["source"], field["target"] or "", field["reason"])
    screen.print(table)
    for note in inspection["notes"]:
        screen.print(note, markup=False)


def _show_comparison(client: Client, screen: Console, upload: Mapping[str, Any], mapping: str | None) -> None:
    """Compare an upload, and print what it would change."""
    compared = compare_upload(client, screen, upload, mapping)
    counts = compared["counts"]
    screen.print(
        f"{counts['rows']:,} rows: {counts['added']:,} new, {counts['changed']:,} changed,"
        f" {counts['unchanged']:,} as they were, {counts['rejected']:,} rejected"
        f" (terrafusion sync rejected ... {compared['run_id']})"
    )
    if compared["status"] == "awaiting_approval":
        changes = compared["links"]["changes"]
        screen.print(totals_table(client.get(f"{changes}/summary")))
        screen.print(change_table(client.get(changes, page_size=SHOWN)["items"]))
    screen.print(f"Upload [bold]{compared['id']}[/] is {compared['status']}.")


def _uploads(county_id: str) -> str:
    return f"/v1/counties/{county_id}/uploads"
