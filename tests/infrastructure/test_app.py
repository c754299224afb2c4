"""The app as a whole."""

import json
from pathlib import Path

from infra.application import project_context
from tests.infrastructure.assembly import Templates


def test_the_app_synthesizes_both_stages_without_credentials_and_passes_cloudformations_rules(deployed: Path) -> None:
    assert {folder.name for folder in deployed.glob("assembly-*")} == {"assembly-dev", "assembly-prod"}
    report = deployed / "validation-report.json"
    if report.exists():
        found = json.loads(report.read_text())
        errors = [
            v for plugin in found["pluginReports"] for v in plugin.get("violations", []) if v["severity"] == "error"
        ]
        assert errors == []


def test_two_syntheses_give_the_same_templates(deployed: Path, assembly: Path) -> None:
    for template in assembly.glob("*.template.json"):
        assert template.read_text() == (deployed / "assembly-dev" / template.name).read_text(), template.name


def test_cdk_json_runs_the_app_with_the_context_that_the_app_reads() -> None:
    configuration = json.loads(Path("cdk.json").read_text())

    assert configuration["app"] == "uv run python app.py"
    assert configuration["context"] == project_context()
    assert configuration["context"]["@aws-cdk/core:validateAgainstDefaultRules"] is True


def test_no_stack_comes_near_the_limit_of_500_resources(templates: Templates) -> None:
    sizes = {stack: len(template["Resources"]) for stack, template in templates.by_stack.items()}

    assert set(sizes) == {"Network", "Data", "Identity", "Sync", "Jobs", "Api", "Observability"}
    assert max(sizes.values()) < 450, sizes


def test_templates_do_not_depend_on_an_account_a_region_or_a_bootstrap_parameter(templates: Templates) -> None:
    for stack, template in templates.by_stack.items():
        assert "Parameters" not in template, stack
        assert "arn:aws:" not in json.dumps(template), stack


def test_every_code_runs_after_the_migration(assembly: Path) -> None:
    manifest = json.loads((assembly / "manifest.json").read_text())["artifacts"]
    data = next(name for name in manifest if name.startswith("devData") and not name.endswith(".assets"))
    for stack in ("devSync", "devJobs", "devApi"):
        artifact = next(a for name, a in manifest.items() if name.startswith(stack) and not name.endswith(".assets"))
        assert data in artifact["dependencies"], stack


def test_production_keeps_its_data_when_its_stacks_are_deleted(deployed: Path) -> None:
    production = Templates(deployed / "assembly-prod", "prod")
    cluster = production.one("AWS::RDS::DBCluster")

    assert cluster.properties["DeletionProtection"] is True
    assert cluster.properties["BackupRetentionPeriod"] == 35
    for kind in ("AWS::RDS::DBCluster", "AWS::S3::Bucket", "AWS::Cognito::UserPool"):
        assert production.one(kind).whole["DeletionPolicy"] == "Retain", kind
    assert len(list(production.resources("AWS::RDS::DBInstance"))) == 2
