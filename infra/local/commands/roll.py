"""`terrafusion roll`: values brought to a county's assessment rolls."""

from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table

from infra.local.client import ApiClient
from infra.local.commands.value import dollars
from infra.local.commands.watching import watched
from infra.local.session import ApiUrl, DataDir, Username, console, signed_in

app = typer.Typer(help="Bring a run's values to a roll, take them back, close rolls.", no_args_is_help=True)


@app.command("list")
def list_rolls(
    county_id: str = typer.Argument(help="The county."),
    api_url: str | None = ApiUrl,
    username: str = Username,
    data_dir: Path = DataDir,
) -> None:
    """The rolls of COUNTY_ID, the newest first."""
    table = Table("year", "status", "assessments", "total value", "closed or opened by")
    with signed_in(api_url, username, data_dir) as client:
        for roll in client.get(f"/v1/counties/{county_id}/rolls"):
            by = f"{roll['changed_by']}, {roll['changed_at'][:10]}" if roll["changed_by"] else "-"
            count = f"{roll['assessments']:,}"
            table.add_row(str(roll["roll_year"]), roll["status"], count, dollars(roll["total_value"]), by)
    console().print(table)


@app.command()
def approve(
    county_id: str = typer.Argument(help="The county."),
    run_id: str = typer.Argument(help="The valuation run."),
    roll_year: int = typer.Argument(help="The roll year."),
    without_review: bool = typer.Option(False, help="Leave out the values that are to be reviewed."),
    api_url: str | None = ApiUrl,
    username: str = Username,
    data_dir: Path = DataDir,
) -> None:
    """Bring the values of RUN_ID to the roll of ROLL_YEAR."""
    wanted = {"roll_year": roll_year, "filter": {"review": False} if without_review else {}}
    _change(f"/v1/counties/{county_id}/valuation-runs/{run_id}/approve", wanted, api_url, username, data_dir)


@app.command()
def undo(
    county_id: str = typer.Argument(help="The county."),
    run_id: str = typer.Argument(help="The valuation run."),
    api_url: str | None = ApiUrl,
    username: str = Username,
    data_dir: Path = DataDir,
) -> None:
    """Take the latest approval of RUN_ID back."""
    _change(f"/v1/counties/{county_id}/valuation-runs/{run_id}/undo", {}, api_url, username, data_dir)


@app.command()
def close(
    county_id: str = typer.Argument(help="The county."),
    roll_year: int = typer.Argument(help="The roll year."),
    api_url: str | None = ApiUrl,
    username: str = Username,
    data_dir: Path = DataDir,
) -> None:
    """Close the roll of ROLL_YEAR: no values are approved to it, and none are taken back."""
    with signed_in(api_url, username, data_dir) as client:
        roll = client.post(f"/v1/counties/{county_id}/rolls/{roll_year}/close", {})
    console().print(f"The roll of {roll['roll_year']} is [bold]{roll['status']}[/].")


def change_roll(client: ApiClient, screen: Console, path: str, wanted: object) -> str:
    """Approve a run or take an approval back, and watch. Returns what was written, in words.

    Raises ApiError, JobFailedError.
    """
    job = watched(client, screen, client.post(path, wanted))
    done = client.get(job["links"]["results"])
    verb = "written to" if done["action"] == "approve" else "put back on"
    skipped = "".join(f", {count:,} skipped ({reason.replace('_', ' ')})" for reason, count in done["skipped"].items())
    return (
        f"{done['assessments']:,} assessments and {done['properties']:,} properties {verb} the roll of"
        f" {done['roll_year']}{skipped}."
    )


def _change(path: str, wanted: object, api_url: str | None, username: str, data_dir: Path) -> None:
    screen = console()
    with signed_in(api_url, username, data_dir) as client:
        screen.print(change_roll(client, screen, path, wanted))
