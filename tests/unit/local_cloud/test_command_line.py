"""The command line imports what a command needs, and cuts nothing that it shows."""

import json
import os
import re
import subprocess
import sys
from io import StringIO
from pathlib import Path
from uuid import uuid4

import pytest
from rich.console import Console
from typer.testing import CliRunner

from infra.cli.main import COMMANDS, app
from infra.cli.session import ADDRESS_FILE, PASSWORD_VARIABLE
from infra.cli.tables import WholeTable
from tests.scripted_api import Answer, scripted_api

HEAVY = {"aws_cdk", "boto3", "botocore", "moto", "numpy", "polars", "shapely", "sqlalchemy", "uvicorn"}
IMPORTED = """
import sys
from infra.cli.main import main
sys.argv = ["terrafusion", *sys.argv[1:]]
try:
    main()
except SystemExit:
    pass
print("imported", *{name.partition(".")[0] for name in sys.modules})
"""


@pytest.mark.parametrize("words", [["--help"], ["county", "list"], ["sync", "runs", "benton_wa"]])
def test_a_command_imports_what_it_needs_and_no_more(tmp_path: Path, words: list[str]) -> None:
    with scripted_api(lambda asked: Answer(200, [] if asked.path == "/v1/counties" else {"items": []})) as (address, _):
        (tmp_path / ADDRESS_FILE).write_text(json.dumps({"address": address, "passwords": {"itadmin": "x"}}))
        where = [] if words == ["--help"] else ["--data-dir", str(tmp_path)]
        done = subprocess.run([sys.executable, "-c", IMPORTED, *words, *where], capture_output=True, text=True)

    output, _, imported = done.stdout.rpartition("imported ")
    assert not HEAVY.intersection(imported.split()), done.stderr
    assert done.stderr == ""
    assert len(output) > 0 or words == ["county", "list"]


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_its_help(name: str) -> None:
    listed = CliRunner().invoke(app, ["--help"], terminal_width=300)
    own = CliRunner().invoke(app, [name, "--help"], terminal_width=300)

    assert (listed.exit_code, own.exit_code) == (0, 0), own.output
    assert COMMANDS[name].help[:40] in " ".join(listed.output.split())
    assert COMMANDS[name].help[:40] in " ".join(own.output.split())


def test_an_address_where_nothing_answers_is_told_in_a_sentence() -> None:
    done = subprocess.run(
        [Path(sys.executable).parent / "terrafusion", "county", "list", "--api-url", "http://127.0.0.1:1"],
        env={**os.environ, PASSWORD_VARIABLE: "x"},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(r"http://127.0.0.1:1 does not answer: .*refused\.\n", done.stderr)


@pytest.mark.parametrize("width", [40, 60, 80, 132, 1000])
def test_a_table_cuts_no_id_however_narrow_the_screen(width: int) -> None:
    ids = [str(uuid4()) for _ in range(3)]
    table = WholeTable("run", "started", "by", "status", "reason", title="Syncs")
    for each in ids:
        table.add_row(each, "2026-11-28T23:00:11", "itadmin (request)", "failed", "the source closed the connection")
    screen = Console(file=StringIO(), width=width)

    screen.print(table)

    shown = screen.file.getvalue()  # type: ignore[attr-defined]
    assert [each for each in ids if each in shown] == ids
    assert "…" not in shown
    assert all(len(line.rstrip()) <= width for line in shown.splitlines())
    assert "the source closed the connection" in " ".join(shown.replace("│", " ").split()) or width == 132
