"""The `terrafusion` command. Each command lives in a file of its own under `commands`."""

import io
import sys

import typer

from infra.local.client import ApiError, JobFailedError
from infra.local.commands import county, mapping, model, roll, sync
from infra.local.commands.demo import demo
from infra.local.commands.up import up
from infra.local.commands.value import value
from infra.local.commands.value_county import value_county

app = typer.Typer(
    no_args_is_help=True, pretty_exceptions_enable=False, help="TerraFusion: on this machine, or through its API."
)
app.command()(demo)
app.command()(up)
app.command()(value)
app.command("value-county")(value_county)
app.add_typer(county.app, name="county")
app.add_typer(sync.app, name="sync")
app.add_typer(mapping.app, name="mapping")
app.add_typer(model.app, name="model")
app.add_typer(roll.app, name="roll")


def main() -> None:
    """The console script's entry. What the API refuses ends the command with its reason and exit code 1."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(line_buffering=True)  # whoever reads a pipe or a log sees each line as it comes
    try:
        app()
    except (ApiError, JobFailedError) as error:
        print(error, file=sys.stderr)
        sys.exit(1)
