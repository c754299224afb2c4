"""The local cloud starts, stops, is killed, and starts again on what it kept."""

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import httpx
import psutil
import pytest

from infra.local.session import ADDRESS_FILE
from tests.e2e.conftest import children_of, command
from tests.waiting import eventually

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


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_it_ends_without_a_trace_and_starts_again_with_its_users(folder: Path, ending: signal.Signals) -> None:
    process = start(folder)
    before = login(folder)
    below = children_of(process.pid)
    assert below

    process.send_signal(ending)
    code = process.wait(30)

    assert code == (0 if ending is not signal.SIGKILL else -signal.SIGKILL)
    assert eventually(lambda: not any(psutil.pid_exists(pid) and _alive(pid) for pid in below))
    (folder / ADDRESS_FILE).unlink(missing_ok=True)

    again = start(folder)
    try:
        address = login(folder)["address"]
        me = httpx.get(address + "/v1/auth/me", headers={"Authorization": f"Bearer {before['access_token']}"})
        assert me.json()["username"] == "auditor"  # a token from before the restart still holds
    finally:
        again.terminate()
        assert again.wait(30) == 0


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
