"""`terrafusion roll`: values brought to a county's assessment rolls."""

import typer
from rich.console import Console

from infra.cli.commands.job_progress import wait_with_progress
from infra.cli.commands.value import dollars
from infra.cli.session import SignIn, console, takes_sign_in
from infra.cli.tables import WholeTable
from terrafusion import Client

app = typer.Typer(no_args_is_help=True)


@app.command("list")
@takes_sign_in
def list_rolls(
    sign_in: SignIn,
    county_id: str = typer.Argument(help="The county."),
) -> None:
    """The rolls of COUNTY_ID, the newest first."""
    table = WholeTable("year", "status", "assessments", "total value", "closed or opened by")
    with sign_in() as client:
        for roll in client.get(f"/v1/counties/{county_id}/rolls"):
            by = f"{roll['changed_by']}, {roll['changed_at'][:10]}" if roll["changed_by"] else "-"
            count = f"{roll['assessments']:,}"
            table.add_row(str(roll["roll_year"]), roll["status"], count, dollars(roll["total_value"]), by)
    console().print(table)


@app.command()
@takes_sign_in
def approve(
    sign_in: SignIn,
    county_id: str = typer.Argument(help="The county."),
    run_id: str = typer.Argument(help="The valuation run."),
    roll_year: int = typer.Argument(help="The roll year."),
    without_review: bool = typer.Option(False, help="Leave out the values that are to be reviewed."),
) -> None:
    """Bring the values of RUN_ID to the roll of ROLL_YEAR."""
    request = {"roll_year": roll_year, "filter": {"review": False} if without_review else {}}
    _change(f"/v1/counties/{county_id}/valuation-runs/{run_id}/approve", request, sign_in)


@app.command()
@takes_sign_in
def undo(
    sign_in: SignIn,
    county_id: str = typer.Argument(help="The county."),
    run_id: str = typer.Argument(help="The valuation run."),
) -> None:
    """Take the latest approval of RUN_ID back."""
    _change(f"/v1/counties/{county_id}/valuation-runs/{run_id}/undo", {}, sign_in)


@app.command()
@takes_sign_in
def close(
    sign_in: SignIn,
    county_id: str = typer.Argument(help="The county."),
    roll_year: int = typer.Argument(help="The roll year."),
) -> None:
    """Close the roll of ROLL_YEAR: no values are approved to it, and none are taken back."""
    with sign_in() as client:
        roll = client.post(f"/v1/counties/{county_id}/rolls/{roll_year}/close", {})
    console().print(f"The roll of {roll['roll_year']} is [bold]{roll['status']}[/].")


def change_roll(client: Client, screen: Console, path: str, request: object) -> str:
    """Approve a run or take an approval back, and watch. Returns what was written, in words.

    Raises ProblemError, JobFailedError.
    """
    job = wait_with_progress(client, screen, client.post(path, request))
    done = client.get(job["links"]["results"])
    verb = "written to" if done["action"] == "approve" else "put back on"
    skipped = "".join(f", {count:,} skipped ({reason.replace('_', ' ')})" for reason, count in done["skipped"].items())
    return (
        f"{done['assessments']:,} assessments and {done['properties']:,} properties {verb} the roll of"
        f" {done['roll_year']}{skipped}."
    )


def _change(path: str, request: object, sign_in: SignIn) -> None:
    screen = console()
    with sign_in() as client:
        screen.print(change_roll(client, screen, path, request))
