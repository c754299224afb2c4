"""The README's ways of installing uv, on a Python that is its owner's and on one that is the operating system's."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from infra.settings import ROOT

README = (ROOT / "README.md").read_text()
PLAIN = "pip install uv"
OFFLINE = ("Could not find a version", "Connection", "Temporary failure", "No matching distribution", "Max retries")


@pytest.fixture
def managed(tmp_path: Path) -> dict[str, str]:
    """The variables under which `python3` and `pip` are those of an operating system: its packages are not ours to
    change. All files are links to the Python that runs this test, beside the marker that its own folder may not get.
    """
    system = tmp_path / "system"
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    library, packages = system / "lib" / version, system / "lib" / version / "site-packages"
    packages.mkdir(parents=True)
    base = Path(sys.base_prefix)
    for entry in Path(sysconfig.get_path("stdlib")).iterdir():
        if entry.name != "site-packages":
            (library / entry.name).symlink_to(entry)
    for entry in (base / "lib" / version / "site-packages").glob("pip*"):
        (packages / entry.name).symlink_to(entry)
    (library / "EXTERNALLY-MANAGED").write_text("[externally-managed]\nError=It belongs to the operating system.\n")
    (system / "bin").mkdir()
    shutil.copy(Path(sys._base_executable).resolve(), system / "bin" / "python3")  # type: ignore[attr-defined]
    (system / "bin" / "pip").write_text('#!/bin/sh\nexec python3 -m pip "$@"\n')
    (system / "bin" / "pip").chmod(0o755)
    home = tmp_path / "home"
    home.mkdir()
    libraries = {name: str(base / "lib") for name in ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")}
    kept = {
        name: value for name, value in os.environ.items() if name.startswith(("PIP_", "UV_", "SSL_", "http", "HTTP"))
    }
    return kept | libraries | {"PATH": f"{system / 'bin'}:{os.defpath}", "HOME": str(home)}


def shell(line: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["sh", "-c", line], env=environment, cwd=ROOT, capture_output=True, text=True, timeout=300)


def test_where_the_system_s_python_refuses_the_readme_s_other_way_works(managed: dict[str, str]) -> None:
    paragraph = next(part for part in README.split("\n\n") if "externally-managed-environment" in part)
    (other,) = re.findall(r"`(python3 -m venv [^`]*)`", paragraph.replace("\n", " "))
    (run,) = re.findall(r"`(\S*/uv run) terrafusion demo`", paragraph)
    if shell("python3 -m pip --version", managed).returncode != 0:
        pytest.skip("this Python has no pip of its own")

    refused = shell(PLAIN, managed)
    assert refused.returncode != 0
    assert "externally-managed-environment" in refused.stderr

    done = shell(other, managed)
    if done.returncode != 0 and any(sign in done.stderr for sign in OFFLINE):
        pytest.skip("no registry can be reached")
    assert done.returncode == 0, done.stderr
    assert shell(f"{run} --no-project python -c 'print(1)'", managed).stdout.strip() == "1"
