"""The command line imports what a command needs, tries again what may pass, and cuts nothing that it shows."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import StringIO
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import uuid4

import pytest
from rich.console import Console
from typer.testing import CliRunner

from infra.cli import api_client as client_module
from infra.cli.api_client import ApiClient
from infra.cli.errors import ApiError, ApiUnreachableError
from infra.cli.main import COMMANDS, app
from infra.cli.session import ADDRESS_FILE
from infra.cli.tables import WholeTable

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

Answer = tuple[int, dict[str, Any] | list[Any]]


@contextmanager
def api(answers: Callable[[str, str], Answer]) -> Iterator[tuple[str, list[tuple[str, str, str | None]]]]:
    """An API that answers as `answers` says for a method and a path; what it was asked, with the Idempotency-Key."""
    asked: list[tuple[str, str, str | None]] = []

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            asked.append((self.command, self.path, self.headers["Idempotency-Key"]))
            self.rfile.read(int(self.headers["Content-Length"] or 0))
            if self.command == "POST" and self.path == "/v1/auth/login":
                status, body = 200, {"access_token": "a", "refresh_token": "r"}
            else:
                status, body = answers(self.command, self.path)  # type: ignore[assignment]
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("x-amzn-requestid", "request-1")
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = answer  # noqa: N815 - the server's names

        def log_message(self, format: str, *arguments: object) -> None: ...  # noqa: A002 - the server's name

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


@pytest.fixture(autouse=True)
def without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(client_module._RETRY, "backoff_factor", 0)


@pytest.mark.parametrize("words", [["--help"], ["county", "list"], ["sync", "runs", "benton_wa"]])
def test_a_command_imports_what_it_needs_and_no_more(tmp_path: Path, words: list[str]) -> None:
    with api(lambda _method, path: (200, [] if path == "/v1/counties" else {"items": []})) as (address, _):
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


def test_a_get_that_fails_for_a_while_is_asked_again() -> None:
    failing = [500, 503, 502]
    with api(lambda *_: (failing.pop(), {}) if failing else (200, {"status": "running"})) as (address, asked):
        client = ApiClient(address)
        client.login("itadmin", "x")

        assert client.get("/v1/run") == {"status": "running"}
    assert len(asked) == 5


def test_a_session_outlives_its_access_token() -> None:
    """A job may take hours, an access token ends within a quarter of one."""
    refused = [401]

    def answers(_method: str, path: str) -> Answer:
        if path == "/v1/auth/refresh":
            return 200, {"access_token": "b"}
        return (refused.pop(), {}) if refused else (200, {"status": "running"})

    with api(answers) as (address, asked):
        client = ApiClient(address)
        client.login("itadmin", "x")

        assert client.get("/v1/run") == {"status": "running"}
        assert [path for _, path, _ in asked] == ["/v1/auth/login", "/v1/run", "/v1/auth/refresh", "/v1/run"]

        refused += [401] * 2
        with pytest.raises(ApiError, match="401"):
            client.get("/v1/run")


def test_a_post_is_sent_again_with_its_key_where_the_api_was_busy() -> None:
    failing = [503, 504]
    with api(lambda *_: (failing.pop(), {}) if failing else (202, {"id": 1})) as (address, asked):
        assert ApiClient(address).post("/v1/runs", {}) == {"id": 1}

    assert len({key for _, _, key in asked}) == 1
    assert len(asked) == 3


def test_what_keeps_failing_is_told_with_its_request() -> None:
    with (
        api(lambda *_: (500, {"title": "Failed", "detail": "It is logged."})) as (address, asked),
        pytest.raises(ApiError, match=r"500 Failed: It is logged.\nThe request is request-1\."),
    ):
        ApiClient(address).get("/v1/run")
    assert len(asked) > 5


def test_a_refusal_is_told_at_once() -> None:
    with api(lambda *_: (404, {"title": "Not found", "detail": "No such run."})) as (address, asked):
        with pytest.raises(ApiError, match=r"404 Not found: No such run\.$"):
            ApiClient(address).get("/v1/run")
        assert len(asked) == 1


def test_an_address_where_nothing_answers_is_told_in_a_sentence() -> None:
    with pytest.raises(ApiUnreachableError, match=r"^http://127.0.0.1:1 does not answer: .*refused\.$"):
        ApiClient("http://127.0.0.1:1").login("itadmin", "x")


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
