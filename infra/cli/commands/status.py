"""`terrafusion status`: where the four objectives stand."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import typer

from infra.cli.service_levels import CountyAge, ServiceLevel, ages, of_counties, of_jobs, of_requests
from infra.cli.session import ApiUrl, DataDir, Username, console, signed_in
from infra.cli.tables import WholeTable


def status(
    api_url: str | None = ApiUrl,
    username: str = Username,
    data_dir: Path = DataDir,
    hours: int = typer.Option(24, "--hours", min=1, help="How far back requests and jobs are counted."),
    as_json: bool = typer.Option(False, "--json", help="Print the figures as JSON."),
) -> None:
    """Where the objectives stand: sign-in, reads, data of counties, jobs."""
    now = datetime.now(UTC)
    with signed_in(api_url, username, data_dir) as client:
        counties = ages(client)
    levels = [of_counties(counties, now)]
    if api_url is None:  # a deployment's requests and jobs are counted by CloudWatch
        since = now - timedelta(hours=hours)
        levels = [*of_requests(data_dir / "logs", since), *levels, of_jobs(data_dir / "logs", since)]
    if as_json:
        print(json.dumps(_document(levels, counties, now), indent=1))
        return
    screen = console()
    screen.print(_objectives(levels))
    screen.print(_counties(counties, now))
    if api_url is not None:
        screen.print("Sign-ins, reads and jobs of a deployment are on its dashboard (terrafusion-<stage>-overview).")


def _document(levels: list[ServiceLevel], counties: list[CountyAge], now: datetime) -> dict[str, object]:
    return {
        "objectives": [
            {
                "name": level.slo.name,
                "promise": level.slo.promise,
                "objective": level.slo.objective,
                "good": level.good,
                "total": level.total,
                "holds": level.holds,
                "detail": level.detail,
            }
            for level in levels
        ],
        "counties": [
            {
                "county_id": county.county_id,
                "last_good_sync": county.finished_at and county.finished_at.isoformat(),
                "due_at": county.due_at and county.due_at.isoformat(),
                "late": county.is_late(now),
            }
            for county in counties
        ],
    }


def _objectives(levels: list[ServiceLevel]) -> WholeTable:
    table = WholeTable("objective", "promised", "is", "of", "", "")
    for level in levels:
        share = "-" if level.share is None else f"{100 * level.share:.2f} %"
        verdict = "holds" if level.holds else "missed"
        table.add_row(level.slo.title, level.slo.promise, share, f"{level.total:,}", verdict, level.detail)
    return table


def _counties(counties: list[CountyAge], now: datetime) -> WholeTable:
    table = WholeTable("county", "last good sync", "age", "next due", "")
    for county in counties:
        last = county.finished_at
        age = "-" if last is None else f"{(now - last).total_seconds() / 3600:,.1f} h"
        due = county.due_at.strftime("%Y-%m-%d %H:%M") if county.due_at else "not scheduled"
        late = "late" if county.is_late(now) else ""
        table.add_row(county.county_id, last.strftime("%Y-%m-%d %H:%M") if last else "never", age, due, late)
    return table
