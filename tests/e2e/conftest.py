"""The platform as its users meet it: one demo, left running, for all tests from outside."""

import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from infra.cli.session import ADDRESS_FILE
from tests.loopback_tls import serving_context

DEMO_SECONDS = 300
STOP_SECONDS = 30


@dataclass(frozen=True)
class Platform:
    """A running platform: two counties are synced, studied and exported."""

    address: str
    passwords: dict[str, str]
    data_dir: Path
    output: str
    process: subprocess.Popen[str]

    def signed_in(self, username: str) -> httpx.Client:
        """An HTTP client with the access token of one of the ready-made users."""
        return self.client(self.tokens(username)["access_token"])

    def tokens(self, username: str) -> dict[str, str]:
        """The answer to a login of one of the ready-made users."""
        answer = self.client().post("/v1/auth/login", json={"username": username, "password": self.passwords[username]})
        assert answer.status_code == 200, answer.text
        tokens: dict[str, str] = answer.json()
        return tokens

    def client(self, token: str | None = None) -> httpx.Client:
        """An HTTP client with a token, or with none."""
        return httpx.Client(
            base_url=self.address, timeout=60, headers={"Authorization": f"Bearer {token}"} if token else {}
        )


def command(*arguments: str) -> list[str]:
    """The command line of `terrafusion`."""
    return [str(Path(sys.executable).parent / "terrafusion"), *arguments]


def children_of(pid: int) -> list[int]:
    """Every process below a process."""
    import psutil

    return [child.pid for child in psutil.Process(pid).children(recursive=True)]


@pytest.fixture(scope="session")
def loopback_certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, Path]:
    """A context to serve with on loopback, and the authority that the platform trusts for it."""
    return serving_context(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="session")
def platform(
    tmp_path_factory: pytest.TempPathFactory, assemblies: Path, loopback_certificate: tuple[ssl.SSLContext, Path]
) -> Iterator[Platform]:
    data_dir = tmp_path_factory.mktemp("platform")
    shutil.copytree(assemblies, data_dir / "assemblies")
    with subprocess.Popen(
        command("demo", "--keep", "--port", "0", "--data-dir", str(data_dir)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"COLUMNS": "160", "SSL_CERT_FILE": str(loopback_certificate[1])},
    ) as process:
        lines: list[str] = []
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            if line.startswith("Ctrl-C"):
                break
        output = "".join(lines)
        if process.poll() is not None:
            pytest.fail(f"the demo ended with {process.returncode}:\n{output}")
        running = json.loads((data_dir / ADDRESS_FILE).read_text())
        yield Platform(running["address"], running["passwords"], data_dir, output, process)
        process.send_signal(signal.SIGTERM)
        process.wait(STOP_SECONDS)
