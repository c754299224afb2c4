"""Reading synthesized templates."""

import json
from pathlib import Path
from typing import Any

import pytest

from infra.local.cloud_assembly import ACCOUNT, Assembly, TemplateError
from infra.local.resource_names import LocalIdentifiers
from infra.local.template import Template
from tests.integration.local_cloud.sample_template import write_assembly


def assembly_of(folder: Path, **stacks: dict[str, Any]) -> Assembly:
    artifacts = {
        name: {
            "type": "aws:cloudformation:stack",
            "properties": {"templateFile": f"{name}.json", "stackName": name},
        }
        for name in stacks
    }
    (folder / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
    for name, template in stacks.items():
        (folder / f"{name}.json").write_text(json.dumps(template))
    return Assembly(folder, LocalIdentifiers("127.0.0.1", 5999))


@pytest.fixture
def template(tmp_path: Path) -> Template:
    return Template(Assembly(write_assembly(tmp_path), LocalIdentifiers("127.0.0.1", 5999)))


@pytest.mark.parametrize(
    ("value", "resolved"),
    [
        ({"Fn::Join": ["-", ["a", {"Ref": "AWS::Region"}, "b"]]}, "a-us-east-1-b"),
        ({"Fn::Sub": "${AWS::AccountId}/${Bucket}/${!Kept}"}, f"{ACCOUNT}/files/${{Kept}}"),
        ({"Fn::Sub": ["${Mine}:${Bucket.Arn}", {"Mine": {"Ref": "Stage"}}]}, "dev:arn:aws:s3:::files"),
        ({"Fn::Select": ["1", {"Fn::Split": ["/", "a/b/c"]}]}, "b"),
        ({"Fn::If": ["IsDev", "yes", "no"]}, "yes"),
        ({"kept": 1, "dropped": {"Fn::If": ["IsDev", {"Ref": "AWS::NoValue"}, 2]}}, {"kept": 1}),
        ({"Fn::FindInMap": ["Sizes", {"Ref": "Stage"}, "large"]}, 8),
        ({"Fn::GetAtt": ["Bucket", "Arn"]}, "arn:aws:s3:::files"),
        ([{"Ref": "Bucket"}, {"Ref": "AWS::NoValue"}], ["files"]),
    ],
)
def test_an_intrinsic_function_gives_what_cloudformation_would(tmp_path: Path, value: Any, resolved: Any) -> None:
    assembly = assembly_of(
        tmp_path,
        one={
            "Parameters": {"Stage": {"Type": "String", "Default": "dev"}},
            "Conditions": {"IsDev": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Stage"}, "prod"]}]}},
            "Mappings": {"Sizes": {"dev": {"large": 8}}},
            "Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "files"}}},
        },
    )
    assert assembly.resolve("one", value) == resolved


def test_a_value_of_another_stack_is_found_by_export_and_by_output(tmp_path: Path) -> None:
    first = {
        "Resources": {"Bucket": {"Type": "AWS::S3::Bucket"}},
        "Outputs": {"Name": {"Value": {"Ref": "Bucket"}, "Export": {"Name": {"Fn::Sub": "${AWS::StackName}:name"}}}},
    }
    assembly = assembly_of(tmp_path, first=first, second={"Resources": {}})
    by_export = assembly.resolve("second", {"Fn::ImportValue": "first:name"})
    by_output = assembly.resolve("second", {"Fn::GetStackOutput": {"StackName": "first", "OutputName": "Name"}})
    assert by_export == by_output
    assert by_export.startswith("first-bucket-")


def test_a_resource_whose_condition_is_false_does_not_exist(tmp_path: Path) -> None:
    conditions = {"Never": {"Fn::Equals": [1, 2]}}
    resources = {"Bucket": {"Type": "AWS::S3::Bucket", "Condition": "Never"}}
    assembly = assembly_of(tmp_path, one={"Conditions": conditions, "Resources": resources})
    assert assembly.resources() == []


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"Fn::Transform": {}}, "Fn::Transform is not known"),
        ({"Ref": "Nothing"}, "no resource Nothing"),
        ({"Fn::ImportValue": "nothing"}, "no stack exports nothing"),
    ],
)
def test_what_cannot_be_resolved_is_named(tmp_path: Path, value: Any, message: str) -> None:
    assembly = assembly_of(tmp_path, one={"Resources": {}})
    with pytest.raises(TemplateError, match=message):
        assembly.resolve("one", value)


def test_names_are_the_same_at_every_start_and_differ_between_resources(tmp_path: Path) -> None:
    first = Template(Assembly(write_assembly(tmp_path / "a"), LocalIdentifiers()))
    second = Template(Assembly(write_assembly(tmp_path / "b"), LocalIdentifiers(database_port=1)))
    assert first.user_pool() == second.user_pool()
    assert [secret.arn for secret in first.secrets()] == [secret.arn for secret in second.secrets()]
    assert len({secret.arn for secret in first.secrets()}) == 2


def test_functions_come_with_their_resolved_environment(template: Template) -> None:
    handler = next(function for function in template.functions() if function.logical_id == "Handler")
    assert handler.handler == "tests.integration.local_cloud.deployed_functions.answer"
    assert handler.environment["DATA_BUCKET"] == template.buckets()[0]
    assert handler.environment["DATABASE_SECRET_ARN"].startswith("arn:aws:secretsmanager:us-east-1:")
    assert handler.timeout == 20


def test_the_cdks_own_functions_are_left_out(template: Template) -> None:
    assert "Provider" not in {function.logical_id for function in template.functions()}


def test_routes_are_paths_with_the_scopes_of_their_methods(template: Template) -> None:
    routes = {(route.method, route.path): route for route in template.rest_api().routes}
    assert set(routes) == {
        ("POST", "/v1/echo"),
        ("GET", "/v1/echo/{echo_id}"),
        ("PUT", "/v1/echo/{echo_id}"),
        ("GET", "/v1/echo/special"),
        ("ANY", "/v1/files/{proxy+}"),
    }
    assert routes["POST", "/v1/echo"].scopes is None
    assert routes["GET", "/v1/echo/{echo_id}"].scopes == ("terrafusion/view_properties",)
    assert {route.function for route in routes.values()} <= {function.arn for function in template.functions()}


def test_a_state_machine_names_the_functions_by_their_arns(template: Template) -> None:
    (machine,) = template.state_machines()
    plan = next(function for function in template.functions() if function.logical_id == "Plan")
    assert json.loads(machine.definition)["States"]["Plan"]["Resource"] == plan.arn


def test_a_database_secret_knows_the_local_server(template: Template) -> None:
    owner, application = template.secrets()
    assert owner.attached
    assert application.template["port"] == 5999
    assert (application.key, application.length, application.exclude_punctuation) == ("password", 40, True)


def test_a_custom_resource_is_called_behind_its_provider(template: Template) -> None:
    (migrated,) = template.custom_resources()
    migrate = next(function for function in template.functions() if function.logical_id == "Migrate")
    assert migrated.function == migrate.arn
    assert migrated.properties["Digest"] == "1"
