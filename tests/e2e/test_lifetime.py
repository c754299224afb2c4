"""The local cloud starts, stops, is killed, and starts again on what it kept."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest

from infra.cli.commands.local_cloud import STOP_SECONDS
from infra.cli.session import ADDRESS_FILE
from infra.settings import ROOT
from tests.e2e.conftest import children_of, command
from tests.polling import eventually

START_SECONDS = 90


@pytest.fixture
def folder(assemblies: Path, tmp_path: Path) -> Path:
    """A data directory with nothing in it but templates that are synthesized already."""
    shutil.copytree(assemblies, tmp_path / "assemblies")
    return tmp_path


def start(data_dir: Path) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        command("up", "--port", "0", "--data-dir", str(data_dir)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert eventually((data_dir / ADDRESS_FILE).exists, START_SECONDS), "it did not start"
    return process


def login(data_dir: Path) -> dict[str, str]:
    running = json.loads((data_dir / ADDRESS_FILE).read_text())
    body = {"username": "auditor", "password": running["passwords"]["auditor"]}
    tokens: dict[str, str] = httpx.post(running["address"] + "/v1/auth/login", json=body, timeout=30).json()
    return tokens | {"address": running["address"]}


def test_it_ends_without_a_trace_and_starts_again_with_its_users(folder: Path) -> None:
    """Each signal ends what the one before left; the last start is ended by SIGTERM."""
    process = start(folder)
    for ending in (signal.SIGINT, signal.SIGKILL):
        before = login(folder)
        _end(process, ending)
        (folder / ADDRESS_FILE).unlink(missing_ok=True)

        process = start(folder)

        address = login(folder)["address"]
        me = httpx.get(address + "/v1/auth/me", headers={"Authorization": f"Bearer {before['access_token']}"})
        assert me.json()["username"] == "auditor"  # a token from before the restart still holds
    _end(process, signal.SIGTERM)


def _end(process: "subprocess.Popen[bytes]", ending: signal.Signals) -> None:
    below = children_of(process.pid)
    assert below

    process.send_signal(ending)
    code = process.wait(30)

    assert code == (0 if ending is not signal.SIGKILL else -signal.SIGKILL)
    assert eventually(lambda: not any(psutil.pid_exists(pid) and _alive(pid) for pid in below))


WITHOUT_NETWORK = """
import fcntl, os, socket, struct, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
    fcntl.ioctl(probe, 0x8914, struct.pack("16sH14s", b"lo", 0x41, b""))  # SIOCSIFFLAGS: loopback is up and running
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


def python_without_network() -> list[str]:
    """Python where there is no network but the loopback; Python as it is where we may not take the network away."""
    alone = [shutil.which("unshare") or "", "--net", sys.executable, "-c", WITHOUT_NETWORK]
    if alone[0] and subprocess.run([*alone, "-c", ""], capture_output=True).returncode == 0:
        return alone
    return [sys.executable]


def test_it_starts_on_a_bare_and_private_machine(tmp_path: Path) -> None:
    """A clone of an odd name in a private folder, no node, npm or home, no network, new files for their owner alone."""
    clone = tmp_path / "Ämter & 'Söhne' 100%"
    for part in ("functions", "infra", "layers", "shared"):
        shutil.copytree(ROOT / part, clone / part, ignore=shutil.ignore_patterns("__pycache__", "build"))
    for file in ("app.py", "cdk.json"):
        shutil.copy(ROOT / file, clone)
    clone.chmod(0o700)
    up = ["-c", "from infra.cli.main import main; main()", "up", "--port", "0", "--data-dir", "data"]
    with subprocess.Popen(
        [*python_without_network(), *up],
        cwd=clone,
        env={"PATH": str(tmp_path), "HOME": "/nowhere", "PYTHONPATH": str(clone), "LC_ALL": "C"},
        umask=0o077,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        process.terminate()
        rest = process.communicate(timeout=30)[0]

    assert process.returncode == 0, line + rest
    assert line.startswith("Started in"), line + rest
    assert (clone / "data" / "postgres" / "cluster" / "PG_VERSION").exists()


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_in_the_middle_of_its_start(tmp_path: Path, ending: signal.Signals) -> None:
    process = subprocess.Popen(command("up", "--port", "0", "--data-dir", str(tmp_path)), stdout=subprocess.DEVNULL)
    assert eventually(lambda: any("initdb" in part for part in cmdlines_below(process.pid)), START_SECONDS)
    below = children_of(process.pid)
    began = time.monotonic()

    process.send_signal(ending)
    code = process.wait(30)

    assert code == 0
    assert time.monotonic() - began < STOP_SECONDS + 4
    assert eventually(lambda: not any(psutil.pid_exists(pid) and _alive(pid) for pid in below))


def cmdlines_below(pid: int) -> list[str]:
    items = []
    for child in psutil.Process(pid).children(recursive=True):
        with suppress(psutil.Error):
            items += child.cmdline()[:1]
    return items


def test_a_second_one_on_the_same_data_is_refused(folder: Path) -> None:
    process = start(folder)
    try:
        second = subprocess.run(
            command("up", "--port", "0", "--data-dir", str(folder)), capture_output=True, text=True, timeout=60
        )
        assert second.returncode == 1
        assert "in use" in " ".join(second.stdout.split())  # the line breaks where the folder's name is long
        assert "Traceback" not in second.stdout + second.stderr
    finally:
        process.terminate()
        process.wait(30)


def _alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def test_a_command_without_a_running_cloud_says_so(tmp_path: Path) -> None:
    done = subprocess.run(
        command("sync", "king_wa", "--data-dir", str(tmp_path)),
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | {"COLUMNS": "200"},
    )
    assert done.returncode != 0
    assert "terrafusion up" in done.stderr + done.stdout
