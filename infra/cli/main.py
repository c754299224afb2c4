"""The `terrafusion` command. Each command lives in a file of its own under `commands`."""

import io
import sys
from typing import Any

import typer

from infra.cli.commands.lazy import LazyCommand, lazy_group
from infra.cli.errors import CommandError
from infra.local.errors import LocalCloudError
from terrafusion.errors import TerraFusionError

_HERE = "infra.cli.commands"

COMMANDS = {
    "demo": LazyCommand(
        f"{_HERE}.demo:demo", "Run two real counties from their legacy systems to ratio study, report and map."
    ),
    "up": LazyCommand(f"{_HERE}.up:up", "Serve the platform on this machine until Ctrl-C."),
    "status": LazyCommand(f"{_HERE}.status:status", "Where the objectives stand: sign-in, reads, data, jobs."),
    "county": LazyCommand(f"{_HERE}.county:app", "Onboard and list counties."),
    "mapping": LazyCommand(f"{_HERE}.mapping:app", "Check mappings, and try them."),
    "sync": LazyCommand(f"{_HERE}.sync:app", "Run a county's syncs, and look at them."),
    "jobs": LazyCommand(f"{_HERE}.job_list:jobs", "List the jobs of COUNTY_ID of every kind, the newest first."),
    "key": LazyCommand(f"{_HERE}.key:app", "Make, list and revoke access keys of tools."),
    "user": LazyCommand(f"{_HERE}.user:app", "List, invite, change and remove a county's users."),
    "upload": LazyCommand(f"{_HERE}.upload:app", "Bring files, and decide about those that others brought."),
    "value": LazyCommand(f"{_HERE}.value:value", "Value PROPERTY_ID of COUNTY_ID as of a date."),
    "value-county": LazyCommand(
        f"{_HERE}.value_county:value_county", "Value COUNTY_ID's properties as of a date, and show how values change."
    ),
    "model": LazyCommand(f"{_HERE}.model:app", "Train, list and promote valuation models."),
    "roll": LazyCommand(f"{_HERE}.roll:app", "Bring values to a roll; check, certify, verify, compare rolls."),
    "ratio-study": LazyCommand(f"{_HERE}.jobs:ratio_study", "Study a county's ratios, and see what came out."),
    "market-analysis": LazyCommand(f"{_HERE}.jobs:market_analysis", "Analyse a county's market by month and area."),
    "sales": LazyCommand(f"{_HERE}.sales:app", "Validate sales, look at what was flagged, decide."),
    "district": LazyCommand(f"{_HERE}.district:app", "Load map layers, and look districts up."),
    "report": LazyCommand(f"{_HERE}.jobs:report", "Make reports, and download them."),
    "audit": LazyCommand(f"{_HERE}.audit:app", "Who changed what, and whether the trail is as it was written."),
    "doctor": LazyCommand(
        f"{_HERE}.doctor:doctor",
        "Check this machine, and with --deployed STAGE an AWS account.",
    ),
    "dead-letters": LazyCommand(
        f"{_HERE}.dead_letters:dead_letters", "List the undelivered events of a deployed STAGE, or deliver them again."
    ),
    "pause": LazyCommand(f"{_HERE}.switches:pause", "Stop parts of a deployed STAGE, without a deployment."),
    "unpause": LazyCommand(f"{_HERE}.switches:unpause", "Let paused parts of a deployed STAGE run again."),
    "export": LazyCommand(f"{_HERE}.jobs:export", "Export map layers, and download them."),
}

app = typer.Typer(
    cls=lazy_group(COMMANDS),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.callback()
def terrafusion() -> None:
    """TerraFusion: on this machine, or through its API."""


def main_group() -> Any:
    """The whole command line as a group; its commands are imported when they are resolved."""
    return typer.main.get_group(app)


def main() -> None:
    """The console script's entry. What the API refuses ends the command with its reason and exit code 1."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(line_buffering=True)  # whoever reads a pipe or a log sees each line as it comes
    try:
        app()
    except (CommandError, LocalCloudError, TerraFusionError) as error:
        print(error, file=sys.stderr)
        sys.exit(1)
