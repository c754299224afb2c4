"""`terrafusion jobs`: what runs and has run in a county."""

import json

import typer

from infra.cli.commands.api_description import COUNTY
from infra.cli.session import SignIn, console, takes_sign_in
from infra.cli.tables import WholeTable


@takes_sign_in
def jobs(
    sign_in: SignIn,
    county_id: str = typer.Argument(help="The county."),
    kind: str | None = typer.Option(None, help="Jobs of this kind: sync, report, valuation_run and so on."),
    status: str | None = typer.Option(None, help="Jobs of this status."),
    mine: bool = typer.Option(False, "--mine", help="Those that you have submitted."),
    since: str | None = typer.Option(None, help="Submitted at this time or later (2026-03-01T00:00:00Z)."),
    limit: int = typer.Option(20, "--limit", min=1, help="How many."),
    as_json: bool = typer.Option(False, "--json", help="Print what the API answers."),
) -> None:
    """List the jobs of COUNTY_ID of every kind, the newest first."""
    with sign_in() as client:
        path = f"{COUNTY}/jobs".format(county_id=county_id)
        page = client.get(path, kind=kind, status=status, mine=mine or None, since=since, page_size=limit)
    if as_json:
        print(json.dumps(page, indent=1, ensure_ascii=False))
        return
    table = WholeTable("job", "kind", "status", "submitted", "by", "finished", "step or error")
    for job in page["items"]:
        what = job["error"]["detail"] if job["error"] else job["progress"]["step"]
        times = (job["created_at"][:19], job["submitted_by"], (job["finished_at"] or "")[:19])
        table.add_row(job["id"], job["kind"], job["status"], *times, what)
    console().print(table)
