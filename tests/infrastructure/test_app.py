"""The app as a whole."""

import json
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import lint_file

from infra.application import build_app, project_context, synthesize_templates
from infra.cli.account_checks import MIN_BOOTSTRAP_VERSION
from infra.functions import REGISTRY
from infra.settings import configured_stages
from tests.infrastructure.assembly import Templates, listed
from tests.infrastructure.conftest import BOTH_STAGES

CDK_HABITS = {"W3005"}
"""The one warning of cfn-lint that the CDK's own templates raise: a DependsOn beside a reference that says the same."""


def test_the_app_synthesizes_both_stages_without_credentials_and_passes_cloudformations_rules(deployed: Path) -> None:
    assert {folder.name for folder in deployed.glob("assembly-*")} == {"assembly-dev", "assembly-prod"}
    report = deployed / "validation-report.json"
    if report.exists():
        document = json.loads(report.read_text())
        errors = [
            v for plugin in document["pluginReports"] for v in plugin.get("violations", []) if v["severity"] == "error"
        ]
        assert errors == []


def test_cloudformation_can_make_what_the_templates_ask_for(deployed: Path) -> None:
    """By AWS's published schemas. A version that can no longer be made is a warning there (W36xx) and an error here."""
    matches = [
        f"{template.name} {match.path_string}: {match}"
        for template in sorted((deployed / "assembly-prod").glob("*.template.json"))
        for match in lint_file(template)
        if match.rule.id not in CDK_HABITS
    ]

    assert matches == []


def test_a_stage_is_deployed_where_the_context_says(tmp_path: Path) -> None:
    stages: dict[str, dict[str, Any]] = {
        "dev": {
            "account": "111122223333",
            "region": "us-west-2",
            "max_function_mb": 2048,
            "alarm_email": "it@example.gov",
            "monthly_budget_usd": 500,
            "reserved_concurrency": {"pre-token": 20, "auth": 10},
            "snap_start": ["pre-token"],
        }
    }
    stages["dev"]["source_networks"] = ["10.20.0.0/16"]
    stages["dev"]["county_limits"] = {"requests_per_second": 9, "active_jobs": 8, "key_requests_per_second": 7}
    context = project_context() | {"aws:cdk:bundling-stacks": [], "stages": stages}

    build_app(context, outdir=str(tmp_path), validate=False).synth()

    manifest = json.loads((tmp_path / "assembly-dev" / "manifest.json").read_text())
    stacks = [a for a in manifest["artifacts"].values() if a["type"] == "aws:cloudformation:stack"]
    assert {stack["environment"] for stack in stacks} == {"aws://111122223333/us-west-2"}
    assert manifest.get("missing", []) == []
    templates = Templates(tmp_path / "assembly-dev", "dev")
    reserved = {n: f.properties.get("ReservedConcurrentExecutions") for n, f in templates.functions().items()}
    assert {name: number for name, number in reserved.items() if number} == {"pre-token": 20, "auth": 10}
    snapshots = {n for n, f in templates.functions().items() if "SnapStart" in f.properties}
    assert snapshots == {"pre-token"}
    budget = templates.one("AWS::Budgets::Budget").properties
    assert budget["Budget"]["BudgetLimit"] == {"Amount": 500, "Unit": "USD"}
    hears = {s["Address"] for n in budget["NotificationsWithSubscribers"] for s in n["Subscribers"]}
    assert hears == {"it@example.gov"}
    functions = templates.functions().values()
    assert max(function.properties["MemorySize"] for function in functions) == 2048
    environments = [function.properties["Environment"]["Variables"] for function in functions]
    assert {e["SOURCE_NETWORKS"] for e in environments if "SOURCE_NETWORKS" in e} == {"10.20.0.0/16"}
    limits = ("COUNTY_REQUESTS_PER_SECOND", "COUNTY_ACTIVE_JOBS", "KEY_REQUESTS_PER_SECOND")
    assert {tuple(e[name] for name in limits) for e in environments} == {("9", "8", "7")}


@pytest.mark.parametrize(
    ("stages", "message"),
    [
        ({"dev": {"alarm_mail": "it@example.gov"}}, r"stages\.dev: there is no option alarm_mail; there are account, "),
        ({"dev": {"source_networks": ["10.0.0.0/33"]}}, r"10\.0\.0\.0/33"),
        ({"staging": {}}, r"stages: there is no stage staging; there are dev, prod"),
        ({"dev": {"nat_gateways": 3}}, r"stages\.dev: nat_gateways is 1, or 2"),
        ({"dev": {"monthly_budget_usd": 9}}, r"stages\.dev: nobody would hear its alarms; set alarm_email"),
        ({"dev": {"egress_allocation_ids": ["a", "b"]}}, r"stages\.dev: egress_allocation_ids are 1"),
        ({"dev": {"mail_sender": "example.gov"}}, r"stages\.dev: mail_sender is an address"),
        ({"dev": {"vpc_cidr": "10.0.0.0/24"}}, r"stages\.dev: vpc_cidr is a /16"),
        ({"dev": {"backup_vault_arn": "vault"}}, r"stages\.dev: backup_vault_arn is arn:aws:backup:REGION"),
        (
            {"dev": {"private_lines": {"it": {"networks": ["10.1.0.0/24"]}}}},
            r"it: a line has an ip \(VPN\) or a",
        ),
        ({"dev": {"private_lines": {"it": {"ip": "192.0.3.1"}}}}, r"it: a line has networks"),
        (
            {"dev": {"private_lines": {"it": {"ip": "10.1.0.1", "networks": ["10.1.0.0/24"]}}}},
            r"it: 10\.1\.0\.1 is no public address",
        ),
        (
            {"dev": {"private_lines": {"it": {"ip": "192.0.3.1", "networks": ["10.40.9.0/24"]}}}},
            r"stages\.dev\.private_lines: it: 10\.40\.9\.0/24 overlaps the stage's vpc_cidr 10\.40\.0\.0/16",
        ),
        (
            {"dev": {"private_lines": {"it": {"vpc_id": "vpc-1", "account": "1", "networks": ["10.1.0.0/24"]}}}},
            r"it: the peering with account 1 needs its role_arn",
        ),
        ({"prod": {}}, r"stages\.prod: nobody would hear its alarms; set alarm_email"),
    ],
)
def test_stages_that_cannot_be_are_refused_with_what_can(stages: dict[str, dict[str, Any]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        configured_stages(stages)


@pytest.mark.parametrize("option", [{"reserved_concurrency": {"sign-in": 5}}, {"snap_start": ["sign-in"]}])
def test_options_of_functions_name_functions_that_exist_alone(option: dict[str, Any], tmp_path: Path) -> None:
    stages = {"dev": option}

    with pytest.raises(ValueError, match=rf"stages\.dev\.{next(iter(option))}: no function sign-in"):
        build_app(project_context() | {"stages": stages}, outdir=str(tmp_path), validate=False)


def test_production_shifts_the_api_to_a_release_by_a_tenth_and_back_when_it_fails(deployed: Path) -> None:
    production = Templates(deployed / "assembly-prod", "prod")
    aliases = list(production.resources("AWS::Lambda::Alias", "Api"))
    groups = {g.logical_id: g.properties for g in production.resources("AWS::CodeDeploy::DeploymentGroup")}

    shifted = {a.whole["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]["DeploymentGroupName"]["Ref"] for a in aliases}
    assert len(aliases) == len([*REGISTRY.api, REGISTRY.authorizer])
    assert shifted == set(groups)
    for group in groups.values():
        assert group["DeploymentConfigName"] == "CodeDeployDefault.LambdaCanary10Percent5Minutes"
        assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]
        (alarm,) = group["AlarmConfiguration"]["Alarms"]
        assert production.by_stack["Api"]["Resources"][alarm["Name"]["Ref"]]["Properties"]["MetricName"] == "5XXError"
    assert len(production.by_stack["Api"]["Resources"]) <= 0.8 * 500


def test_only_what_must_never_be_replaced_is_held_by_other_stacks(templates: Templates) -> None:
    """A strong reference (Fn::ImportValue) keeps the exporting stack from replacing what is referred to."""
    exported = set()
    for name, template in templates.by_stack.items():
        for output in template.get("Outputs", {}).values():
            if "Export" in output:
                (target,) = output["Value"].values()
                exported.add(template["Resources"][target if isinstance(target, str) else target[0]]["Type"])
        imported = json.dumps(template).count("Fn::ImportValue")
        assert bool(imported) == (name in {"Identity", "Sync", "Jobs", "Webhooks", "Api", "Observability"}), name

    assert exported == {
        "AWS::Cognito::UserPool",
        "AWS::Events::EventBus",
        "AWS::RDS::DBCluster",
        "AWS::S3::Bucket",
        "AWS::SecretsManager::Secret",
    }


def test_production_has_a_way_out_of_each_zone_by_an_address_that_outlives_the_stack(deployed: Path) -> None:
    production = Templates(deployed / "assembly-prod", "prod")
    addresses = list(production.resources("AWS::EC2::EIP"))
    gateways = list(production.resources("AWS::EC2::NatGateway"))

    assert all(address.whole["DeletionPolicy"] == "Retain" for address in addresses)
    assert {gateway.properties["AllocationId"]["Fn::GetAtt"][0] for gateway in gateways} == {
        address.logical_id for address in addresses
    }
    assert len(gateways) == 2


def test_addresses_that_counties_know_serve_a_stage_that_is_made_anew(tmp_path: Path) -> None:
    settings = configured_stages({"dev": {"egress_allocation_ids": ["eipalloc-1"], "vpc_cidr": "10.41.0.0/16"}})

    network = Templates(synthesize_templates(tmp_path, settings[0]), "dev")

    assert list(network.resources("AWS::EC2::EIP")) == []
    assert network.one("AWS::EC2::NatGateway").properties["AllocationId"] == "eipalloc-1"
    assert network.one("AWS::EC2::VPC").properties["CidrBlock"] == "10.41.0.0/16"


def test_the_functions_reach_counties_by_vpn_and_by_peering_and_syncs_may_connect_there(deployed: Path) -> None:
    production = Templates(deployed / "assembly-prod", "prod")
    vpn = production.one("AWS::EC2::CustomerGateway").properties
    static = production.one("AWS::EC2::VPNConnectionRoute").properties
    peering = production.one("AWS::EC2::VPCPeeringConnection")
    routes = [r.properties for r in production.resources("AWS::EC2::Route") if "VpcPeeringConnectionId" in r.properties]
    plan = next(
        f.properties["Environment"]["Variables"]
        for f in production.resources("AWS::Lambda::Function")
        if f.properties.get("FunctionName") == "terrafusion-prod-sync-plan"
    )

    assert (vpn["IpAddress"], static["DestinationCidrBlock"]) == ("192.0.3.7", "10.20.0.0/16")
    propagated = production.one("AWS::EC2::VPNGatewayRoutePropagation").properties["RouteTableIds"]
    assert {route["RouteTableId"]["Ref"] for route in routes} == {table["Ref"] for table in propagated}
    assert {route["DestinationCidrBlock"] for route in routes} == {"10.30.0.0/24", "10.31.0.0/24"}
    assert peering.properties["PeerRegion"] == "us-west-2"
    assert plan["SOURCE_NETWORKS"] == "10.20.0.0/16,10.30.0.0/24,10.31.0.0/24"


def test_database_and_objects_are_copied_elsewhere_each_night_by_a_key_that_travels(deployed: Path) -> None:
    production = Templates(deployed / "assembly-prod", "prod")
    vault = BOTH_STAGES["prod"]["backup_vault_arn"]
    (rule,) = production.one("AWS::Backup::BackupPlan").properties["BackupPlan"]["BackupPlanRule"]
    selected = production.one("AWS::Backup::BackupSelection").properties["BackupSelection"]["Resources"]
    key = production.one("AWS::KMS::Key")
    users = [s["Principal"]["AWS"] for s in key.properties["KeyPolicy"]["Statement"]]

    assert rule["CopyActions"] == [{"DestinationBackupVaultArn": vault, "Lifecycle": {"DeleteAfterDays": 35}}]
    assert len(selected) == 2
    assert production.data_bucket().logical_id in json.dumps(selected)
    assert production.one("AWS::RDS::DBCluster").properties["KmsKeyId"] == {"Fn::GetAtt": [key.logical_id, "Arn"]}
    assert any("111122223333" in json.dumps(user) for user in users)
    assert key.whole["DeletionPolicy"] == "Retain"


def test_stages_of_one_account_read_none_of_each_others_secrets_of_counties(deployed: Path) -> None:
    for stage, prefix in (("dev", "terrafusion/"), ("prod", "terrafusion-prod/")):
        templates = Templates(deployed / f"assembly-{stage}", stage)
        readable = [
            json.dumps(resource)
            for _, statement in templates.statements()
            if "secretsmanager:GetSecretValue" in listed(statement["Action"])
            for resource in listed(statement["Resource"])
            if "*" in json.dumps(resource)
        ]
        assert readable
        assert all(f":secret:{prefix}*" in resource for resource in readable), stage
        prefixes = {
            f.properties["Environment"]["Variables"].get("SOURCE_SECRET_PREFIX", prefix)
            for f in templates.resources("AWS::Lambda::Function")
            if "Environment" in f.properties
        }
        assert prefixes == {prefix}


def test_two_syntheses_give_the_same_templates(deployed: Path, assembly: Path) -> None:
    for template in assembly.glob("*.template.json"):
        assert template.read_text() == (deployed / "assembly-dev" / template.name).read_text(), template.name


def test_cdk_json_runs_the_app_with_the_context_that_the_app_reads() -> None:
    configuration = json.loads(Path("cdk.json").read_text())

    assert configuration["app"] == "uv run python app.py"
    assert configuration["context"] == project_context()
    assert configuration["context"]["@aws-cdk/core:validateAgainstDefaultRules"] is True


def test_no_stack_comes_near_a_limit_of_cloudformation(templates: Templates) -> None:
    """Quotas that nobody raises ("AWS CloudFormation quotas"), kept to 80 %: a stack is split before, not after."""
    stacks = {"Network", "Data", "Identity", "Sync", "Jobs", "Webhooks", "Api", "Observability"}
    assert set(templates.by_stack) == stacks
    for stack, template in templates.by_stack.items():
        assert len(template["Resources"]) <= 0.8 * 500, stack
        assert len(template.get("Outputs", {})) <= 0.8 * 200, stack
        assert len(json.dumps(template)) <= 0.8 * 2**20, stack


def test_the_api_comes_near_no_limit_of_api_gateway_or_cognito(templates: Templates) -> None:
    """Quotas of "Amazon API Gateway quotas" and "Quotas in Amazon Cognito", kept to 80 %; resources of an API, of which
    AWS gives more on request, to 90 %.
    """
    document = templates.one("AWS::ApiGateway::RestApi").properties["Body"]
    segments = {path.rsplit("/", above)[0] for path in document["paths"] for above in range(path.count("/"))}
    assert len(segments) <= 0.9 * 300
    assert len(json.dumps(document)) <= 0.8 * 6 * 2**20
    assert len(templates.one("AWS::Cognito::UserPoolResourceServer").properties["Scopes"]) <= 0.8 * 100


def test_templates_do_not_depend_on_an_account_a_region_or_a_bootstrap_parameter(templates: Templates) -> None:
    for stack, template in templates.by_stack.items():
        assert "Parameters" not in template, stack
        assert "arn:aws:" not in json.dumps(template), stack


def test_doctor_asks_for_the_bootstrap_version_that_the_assembly_does(assembly: Path) -> None:
    artifacts = json.loads((assembly / "manifest.json").read_text())["artifacts"].values()

    asked = {artifact["properties"].get("requiresBootstrapStackVersion", 0) for artifact in artifacts}
    assert max(asked) == MIN_BOOTSTRAP_VERSION


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
    kept = (production.one("AWS::RDS::DBCluster"), production.data_bucket(), production.one("AWS::Cognito::UserPool"))
    for resource in kept:
        assert resource.whole["DeletionPolicy"] == "Retain", resource.type
    assert len(list(production.resources("AWS::RDS::DBInstance"))) == 2
