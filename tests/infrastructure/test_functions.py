"""Lambda functions: each as its registry entry says, and allowed no more than that."""

import re
from collections.abc import Iterator
from typing import Any

import grimp
import pytest

from infra.function_specs import FunctionSpec, Grant
from infra.functions import REGISTRY
from infra.settings import DEVELOPMENT, ROOT
from tests.infrastructure.assembly import Templates, listed

SPECS = pytest.mark.parametrize("spec", list(REGISTRY), ids=lambda spec: spec.name)

WITHOUT_RESOURCES = {
    # AWS lets these name no resource (Service Authorization Reference); whoever has them is listed beside.
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
    "logs:UpdateLogDelivery",
    "scheduler:ListSchedules",
}

VARIABLES = {
    Grant.DATABASE: {"DATABASE_SECRET_ARN"},
    Grant.DATABASE_OWNER: {"DATABASE_OWNER_SECRET_ARN"},
    Grant.READ_DATA: {"DATA_BUCKET"},
    Grant.WRITE_DATA: {"DATA_BUCKET"},
    Grant.SOURCE_SECRETS: {"SOURCE_SECRET_PREFIX"},
    Grant.PUBLISH_EVENTS: {"EVENT_BUS_NAME"},
    Grant.RUN_SYNC: {"SYNC_STATE_MACHINE_ARN"},
    Grant.DESCRIBE_SYNC: {"SYNC_STATE_MACHINE_ARN"},
    Grant.CONVERT_FILES: {"CONVERT_FUNCTION_NAME"},
    Grant.RUN_JOBS: {"JOBS_STATE_MACHINE_ARN"},
    Grant.RUN_DELIVERIES: {"WEBHOOK_STATE_MACHINE_ARN"},
    Grant.WEBHOOK_SIGNING: {"WEBHOOK_SIGNING_KEY_ARN"},
    Grant.MANAGE_SCHEDULES: {
        "SCHEDULE_DEAD_LETTERS_ARN",
        "SCHEDULE_GROUP_NAME",
        "SCHEDULE_ROLE_ARN",
        "SYNC_STATE_MACHINE_ARN",
    },
    Grant.SCHEDULE_JOBS: {
        "JOB_SCHEDULE_DEAD_LETTERS_ARN",
        "JOB_SCHEDULE_GROUP_NAME",
        "JOB_SCHEDULE_ROLE_ARN",
        "JOB_SCHEDULE_TARGET_ARN",
    },
    Grant.LIST_SCHEDULES: {"SCHEDULE_GROUP_NAME"},
    Grant.SIGN_IN: {"USER_POOL_ID", "USER_POOL_CLIENT_ID"},
    Grant.READ_USERS: {"USER_POOL_ID", "USER_POOL_CLIENT_ID"},
    Grant.MANAGE_USERS: {"USER_POOL_ID", "USER_POOL_CLIENT_ID"},
    Grant.ADMINISTER_USERS: {"USER_POOL_ID", "USER_POOL_CLIENT_ID"},
}


def test_the_functions_are_those_of_the_registry(templates: Templates) -> None:
    assert set(templates.functions()) == {spec.name for spec in REGISTRY}


@SPECS
def test_a_function_is_what_its_entry_says(spec: FunctionSpec, templates: Templates) -> None:
    function = templates.functions()[spec.name]

    assert function.properties["Runtime"] == "python3.13"
    assert function.properties["Architectures"] == ["arm64"]
    assert function.properties["Handler"] == spec.entry
    assert function.properties["MemorySize"] == min(spec.memory_mb, DEVELOPMENT.max_function_mb)
    assert function.properties["Timeout"] == spec.timeout_s
    layers = {re.sub(r"Layer[0-9A-F]{8}$", "", layer["Ref"]).lower() for layer in function.properties["Layers"]}
    assert layers == set(spec.layers)


def test_a_deployment_publishes_versions_that_outlive_it_and_callers_get_them_by_an_alias(templates: Templates) -> None:
    versions = {(r.stack, r.properties["FunctionName"]["Ref"]): r for r in templates.resources("AWS::Lambda::Version")}
    aliases = {(r.stack, r.properties["FunctionName"]["Ref"]) for r in templates.resources("AWS::Lambda::Alias")}
    functions = {name: (f.stack, f.logical_id) for name, f in templates.functions().items()}
    partitioned = [spec for job in REGISTRY.partitioned_jobs for spec in job.functions]
    tasks = (*REGISTRY.jobs, *partitioned, *vars(REGISTRY.sync).values(), REGISTRY.webhook_attempt)
    steps = {functions[spec.name] for spec in tasks}

    assert aliases == {functions[spec.name] for spec in (*REGISTRY.api, REGISTRY.pre_token, REGISTRY.authorizer)}
    assert set(versions) == aliases | steps
    for version in versions.values():
        assert version.whole["UpdateReplacePolicy"] == "Retain"  # executions that began before may still call it


def test_no_function_is_larger_than_a_new_account_may_have(templates: Templates) -> None:
    for name, function in templates.functions().items():
        assert function.properties["MemorySize"] <= 3008, name


@SPECS
def test_a_function_logs_json_to_its_own_log_that_forgets_in_time(spec: FunctionSpec, templates: Templates) -> None:
    function = templates.functions()[spec.name]
    logging = function.properties["LoggingConfig"]
    log = next(r for r in templates.resources("AWS::Logs::LogGroup") if logging["LogGroup"] == {"Ref": r.logical_id})

    assert logging["LogFormat"] == "JSON"
    assert log.properties["LogGroupName"] == f"/aws/lambda/terrafusion-dev-{spec.name}"
    assert log.properties["RetentionInDays"] > 0


@SPECS
def test_a_functions_environment_names_what_it_was_granted_and_nothing_else(
    spec: FunctionSpec, templates: Templates
) -> None:
    environment = templates.functions()[spec.name].properties["Environment"]["Variables"]
    granted = {name for grant in spec.grants for name in VARIABLES[grant]}

    assert set(environment) == {"STAGE", "POWERTOOLS_SERVICE_NAME", "REQUIRED_SETTINGS", *granted}
    assert environment["REQUIRED_SETTINGS"] == ",".join(sorted(granted)), "what it cannot start without"
    assert environment["POWERTOOLS_SERVICE_NAME"] == spec.name


def test_requests_functions_and_machines_are_traced(templates: Templates) -> None:
    for spec in REGISTRY:
        assert templates.functions()[spec.name].properties["TracingConfig"] == {"Mode": "Active"}, spec.name
    assert templates.one("AWS::ApiGateway::Stage").properties["TracingEnabled"] is True
    for machine in templates.resources("AWS::StepFunctions::StateMachine"):
        assert machine.properties["TracingConfiguration"] == {"Enabled": True}, machine.logical_id


def test_only_the_migration_may_read_the_owners_secret(templates: Templates) -> None:
    owner = templates.one("AWS::SecretsManager::SecretTargetAttachment").logical_id
    readers = {
        resource.logical_id
        for resource, statement in templates.statements()
        if resource.type == "AWS::IAM::Policy"
        and "secretsmanager:GetSecretValue" in listed(statement["Action"])
        and {"Ref": owner} in listed(statement["Resource"])
    }

    assert len(readers) == 1
    assert readers.pop().startswith("SchemaMigrations")


def test_only_the_tasks_that_open_a_source_may_read_counties_secrets(templates: Templates) -> None:
    readers = {
        resource.properties["Roles"][0]["Ref"]
        for resource, statement in templates.statements()
        if any("secret:terrafusion/*" in str(r) for r in listed(statement["Resource"]) if r)
    }
    roles = {name: f.properties["Role"]["Fn::GetAtt"][0] for name, f in templates.functions().items()}

    assert readers == {roles[spec.name] for spec in REGISTRY if Grant.SOURCE_SECRETS in spec.grants}


def test_no_policy_allows_every_action_of_a_service(templates: Templates) -> None:
    for resource, statement in templates.statements():
        if statement["Effect"] == "Allow":
            for action in listed(statement["Action"]):
                assert not action.endswith(":*"), (resource.logical_id, action)
                assert action != "*", resource.logical_id


def test_a_policy_names_its_resources_where_aws_lets_it(templates: Templates) -> None:
    allowed = [(r, s) for r, s in templates.statements() if s["Effect"] == "Allow" and s.get("Resource") == "*"]

    assert allowed
    for resource, statement in allowed:
        assert set(listed(statement["Action"])) <= WITHOUT_RESOURCES, resource.logical_id


def test_no_function_has_aws_managed_policies(templates: Templates) -> None:
    for name, function in templates.functions().items():
        role_id = function.properties["Role"]["Fn::GetAtt"][0]
        (role,) = (r for r in templates.resources("AWS::IAM::Role", function.stack) if r.logical_id == role_id)
        assert "ManagedPolicyArns" not in role.properties, name


def test_functions_with_the_database_run_in_the_private_network(templates: Templates) -> None:
    for spec in REGISTRY:
        in_network = "VpcConfig" in templates.functions()[spec.name].properties
        assert in_network == bool(spec.grants & {Grant.DATABASE, Grant.SOURCE_SECRETS}), spec.name


def _written(spec: FunctionSpec) -> bool:
    return (
        ROOT.joinpath(*spec.module_path.split(".")).with_suffix(".py").exists()
        or (ROOT.joinpath(*spec.module_path.split(".")) / "__init__.py").exists()
    )


@pytest.fixture(scope="session")
def imports() -> Any:
    return grimp.build_graph(
        "functions", "shared", include_external_packages=True, exclude_type_checking_imports=True, cache_dir=None
    )


@pytest.mark.parametrize("spec", [s for s in REGISTRY if _written(s)], ids=lambda spec: spec.name)
def test_a_function_has_the_layers_of_all_that_it_imports(spec: FunctionSpec, imports: Any) -> None:
    begun = {spec.module_path, *spec.starts}
    reached = begun.union(*(imports.find_upstream_modules(module) for module in begun))
    external = {m for m in reached if imports.is_module_squashed(m)}
    external |= {
        d for m in reached for d in imports.find_modules_directly_imported_by(m) if imports.is_module_squashed(d)
    }

    assert external - set(_importable(spec)) == set()


def _importable(spec: FunctionSpec) -> Iterator[str]:
    from importlib.metadata import packages_distributions
    from sys import stdlib_module_names

    yield from stdlib_module_names
    yield from ("boto3", "botocore")  # the runtime's own
    pinned = {
        line.split("==")[0].strip()
        for layer in spec.layers
        for line in (ROOT / "layers" / layer / "requirements.txt").read_text().splitlines()
        if "==" in line
    }
    for package, distributions in packages_distributions().items():
        if any(name.lower().replace("_", "-").replace(".", "-") in pinned for name in distributions):
            yield package
