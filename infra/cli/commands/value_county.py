"""`terrafusion value-county`: a whole county, or a part of it, valued."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from infra.cli.commands.job_progress import wait_with_progress
from infra.cli.commands.value import dollars
from infra.cli.session import SignIn, console, takes_sign_in
from infra.cli.tables import WholeTable
from terrafusion import Client

_MAX_GROUPS = 12
_TODAY = date.today().isoformat()  # noqa: DTZ011 - the day as the person at the keyboard has it


@takes_sign_in
def value_county(
    sign_in: SignIn,
    county_id: str = typer.Argument(help="The county."),
    valuation_date: str = typer.Option(_TODAY, "--date", help="The valuation date."),
    model_id: str | None = typer.Option(None, "--model", help="A model; without it the champions."),
    property_class: list[str] = typer.Option([], "--class", help="A class to value; without any, all of them."),
    neighborhood: list[str] = typer.Option([], help="A neighborhood to value; without any, all of them."),
    file: Path | None = typer.Option(None, help="Where the values go as a file: .csv or .parquet."),
) -> None:
    """Value COUNTY_ID's properties as of a date, and show how values change."""
    if file is not None and file.suffix not in (".csv", ".parquet"):
        raise typer.BadParameter(f"{file} is to end in .csv or .parquet")
    screen = console()
    request = {
        "valuation_date": valuation_date,
        "model_id": model_id,
        "filter": {"property_classes": property_class or None, "neighborhoods": neighborhood or None},
    }
    with sign_in() as client:
        run = run_valuation(client, screen, county_id, request)
        screen.print(run_shown(run, client.get(f"{run['links']['self']}/summary")))
        if file is not None:
            client.download(f"{run['links']['self']}/download?format={file.suffix[1:]}", file)
            screen.print(f"The values are in {file}.")


def run_valuation(client: Client, screen: Console, county_id: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """Value a county and watch. Raises ProblemError, JobFailedError."""
    return wait_with_progress(client, screen, client.post(f"/v1/counties/{county_id}/valuation-runs", request))


def run_shown(run: Mapping[str, Any], summary: Mapping[str, Any]) -> WholeTable:
    """The distribution of a run's changes: overall, and of the neighborhoods with most properties."""
    title = (
        f"run {run['id']} as of {summary['valuation_date']}: {run['valued']:,} of {run['properties']:,} properties"
        f" valued, {run['review']:,} to be reviewed"
    )
    table = WholeTable("", "valued", "review", "total", "change", "5 %", "median", "95 %", title=title)
    groups = sorted(summary["by_neighborhood"], key=lambda group: -group["properties"])[:_MAX_GROUPS]
    for name, figures in [("all", summary["overall"]), *((group["group"] or "(unknown)", group) for group in groups)]:
        table.add_row(
            name,
            f"{figures['valued']:,}",
            f"{figures['review']:,}",
            dollars(figures["estimate_total"]),
            *(_percent(figures[each]) for each in ("change_percent", "p5", "median", "p95")),
        )
    return table


def _percent(change: float | None) -> str:
    return "-" if change is None else f"{change:+.1f} %"
