"""A small deployment, written as the CDK writes it: two stacks in the nested assembly of a stage."""

import json
from pathlib import Path
from typing import Any

FUNCTIONS = "tests.integration.local_cloud.deployed_functions"


def write_assembly(folder: Path, migration_digest: str = "1") -> Path:
    """Writes the assembly; `migration_digest` is a property of its custom resource."""
    inner = folder / "assembly-dev"
    inner.mkdir(parents=True, exist_ok=True)
    nested = {"directoryName": "assembly-dev", "displayName": "dev"}
    _write(folder / "manifest.json", {"artifacts": {"dev": {"type": "cdk:cloud-assembly", "properties": nested}}})
    stacks = {"data": _data(migration_digest), "api": _api()}
    artifacts = {
        name: {
            "type": "aws:cloudformation:stack",
            "properties": {"templateFile": f"{name}.template.json", "stackName": f"tf-{name}"},
        }
        for name in stacks
    }
    _write(inner / "manifest.json", {"artifacts": artifacts})
    for name, template in stacks.items():
        _write(inner / f"{name}.template.json", template)
    return folder


def _write(path: Path, document: dict[str, Any]) -> None:
    path.write_text(json.dumps(document))


def _ref(name: str) -> dict[str, Any]:
    return {"Ref": name}


def _arn(name: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [name, "Arn"]}


def _output(name: str) -> dict[str, Any]:
    return {"Fn::GetStackOutput": {"StackName": "tf-data", "Region": _ref("AWS::Region"), "OutputName": name}}


def _objects(pattern: str) -> dict[str, Any]:
    return {"Fn::Join": ["", ["arn:aws:s3:::", _output("BucketName"), f"/{pattern}"]]}


def _function(
    handler: str, timeout: int = 20, *, role: str, reserved: int | None = None, **variables: Any
) -> dict[str, Any]:
    return {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "Role": _arn(role),
            "Handler": f"{FUNCTIONS}.{handler}",
            "Runtime": "python3.13",
            "Timeout": timeout,
            "MemorySize": 256,
            "EphemeralStorage": {"Size": 64},
            "Environment": {"Variables": variables},
            **({} if reserved is None else {"ReservedConcurrentExecutions": reserved}),
        },
    }


def _role(name: str, *statements: tuple[list[str], Any]) -> dict[str, Any]:
    """A role with a policy that allows actions on resources."""
    allowed = [{"Effect": "Allow", "Action": actions, "Resource": resource} for actions, resource in statements]
    return {
        name: {"Type": "AWS::IAM::Role", "Properties": {}},
        f"{name}Policy": {
            "Type": "AWS::IAM::Policy",
            "Properties": {"Roles": [_ref(name)], "PolicyDocument": {"Statement": allowed}},
        },
    }


def _data(migration_digest: str) -> dict[str, Any]:
    secret_text = {
        "Fn::Join": [
            "",
            [
                '{"username":"terrafusion_app","host":"',
                {"Fn::GetAtt": ["Cluster", "Endpoint.Address"]},
                '","port":',
                {"Fn::GetAtt": ["Cluster", "Endpoint.Port"]},
                ',"dbname":"terrafusion"}',
            ],
        ]
    }
    return {
        "Resources": _role("MigrateRole", (["secretsmanager:GetSecretValue"], _ref("OwnerSecret")))
        | {
            "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {}},
            "Cluster": {"Type": "AWS::RDS::DBCluster", "Properties": {"DatabaseName": "terrafusion"}},
            "OwnerSecret": {
                "Type": "AWS::SecretsManager::Secret",
                "Properties": {
                    "GenerateSecretString": {
                        "SecretStringTemplate": '{"username":"terrafusion_owner"}',
                        "GenerateStringKey": "password",
                        "PasswordLength": 30,
                    }
                },
            },
            "Attachment": {
                "Type": "AWS::SecretsManager::SecretTargetAttachment",
                "Properties": {"SecretId": _ref("OwnerSecret"), "TargetId": _ref("Cluster")},
            },
            "ApplicationSecret": {
                "Type": "AWS::SecretsManager::Secret",
                "Properties": {
                    "GenerateSecretString": {
                        "SecretStringTemplate": secret_text,
                        "GenerateStringKey": "password",
                        "PasswordLength": 40,
                        "ExcludePunctuation": True,
                    }
                },
            },
            "Bus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": "tf-events"}},
            "Migrate": _function("migrate", role="MigrateRole", OWNER_SECRET=_ref("OwnerSecret")),
            "Provider": {
                "Type": "AWS::Lambda::Function",
                "Properties": {
                    "Handler": "framework.onEvent",
                    "Runtime": "nodejs22.x",
                    "Environment": {"Variables": {"USER_ON_EVENT_FUNCTION_ARN": _arn("Migrate")}},
                },
            },
            "Migrated": {
                "Type": "Custom::SchemaMigration",
                "Properties": {"ServiceToken": _arn("Provider"), "Digest": migration_digest},
            },
        },
        "Outputs": {
            "BucketName": {"Value": _ref("Bucket")},
            "SecretArn": {"Value": _ref("ApplicationSecret"), "Export": {"Name": "tf:secret"}},
        },
    }


def _api() -> dict[str, Any]:
    resources = _identity() | _machine() | _role("ApiRole", (["s3:GetObject"], _objects("open/*")))
    resources |= {
        "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "tf", "Body": _rest_api()}},
        "Stage": {
            "Type": "AWS::ApiGateway::Stage",
            "Properties": {"StageName": "dev", "RestApiId": _ref("Api")},
        },
        "Handler": _function(
            "answer",
            role="ApiRole",
            DATA_BUCKET=_output("BucketName"),
            DATABASE_SECRET_ARN={"Fn::ImportValue": "tf:secret"},
        ),
        "BucketPolicy": {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": {
                "Bucket": _output("BucketName"),
                "PolicyDocument": {
                    "Statement": [
                        {
                            "Effect": "Deny",
                            "Principal": {"AWS": "*"},
                            "Action": "s3:*",
                            "Resource": _objects("*"),
                            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                        },
                        {
                            "Effect": "Deny",
                            "Principal": "*",
                            "Action": "s3:GetObject",
                            "Resource": _objects("open/except/*"),
                        },
                    ]
                },
            },
        },
    }
    return {"Resources": resources}


def _rest_api() -> dict[str, Any]:
    header = {"type": "apiKey", "name": "Authorization", "in": "header"}
    pool = {"type": "cognito_user_pools", "providerARNs": [_arn("Users")]}
    return {
        "openapi": "3.0.1",
        "paths": {
            "/v1/echo": {"post": _operation()},
            "/v1/echo/{echo_id}": {
                "get": _operation("terrafusion/view_properties"),
                "put": _operation("terrafusion/manage_users"),
            },
            "/v1/echo/special": {"get": _operation()},
            "/v1/files/{proxy+}": {"x-amazon-apigateway-any-method": _operation()},
        },
        "components": {"securitySchemes": {"token": header | {"x-amazon-apigateway-authorizer": pool}}},
        "x-amazon-apigateway-gateway-responses": {
            "UNAUTHORIZED": {
                "statusCode": "401",
                "responseParameters": {"gatewayresponse.header.Content-Type": "'application/problem+json'"},
                "responseTemplates": {
                    "application/json": '{"title":"Sign in first","request_id":"$context.requestId"}'
                },
            },
        },
    }


def _operation(scope: str | None = None) -> dict[str, Any]:
    uri = [
        "arn:",
        _ref("AWS::Partition"),
        ":apigateway:",
        _ref("AWS::Region"),
        ":lambda:path/2015-03-31/functions/",
        _arn("Handler"),
        "/invocations",
    ]
    operation: dict[str, Any] = {
        "x-amazon-apigateway-integration": {"type": "aws_proxy", "uri": {"Fn::Join": ["", uri]}}
    }
    return operation | {"security": [{"token": [scope]}]} if scope else operation


def _identity() -> dict[str, Any]:
    trigger = {"LambdaArn": _arn("PreToken"), "LambdaVersion": "V2_0"}
    schema = [
        {"Name": "email", "Mutable": True, "Required": True},
        {"Name": "counties", "AttributeDataType": "String", "Mutable": True},
    ]
    groups = {
        f"{role}Group": {
            "Type": "AWS::Cognito::UserPoolGroup",
            "Properties": {"GroupName": role, "UserPoolId": _ref("Users")},
        }
        for role in ("Assessor", "Auditor")
    }
    return (
        groups
        | _role("PreTokenRole")
        | {
            "PreToken": _function("pre_token", timeout=5, role="PreTokenRole"),
            "Users": {
                "Type": "AWS::Cognito::UserPool",
                "Properties": {
                    "UserPoolName": "tf-users",
                    "Schema": schema,
                    "LambdaConfig": {"PreTokenGenerationConfig": trigger, "PreTokenGeneration": _arn("PreToken")},
                },
            },
            "Client": {
                "Type": "AWS::Cognito::UserPoolClient",
                "Properties": {
                    "UserPoolId": _ref("Users"),
                    "ClientName": "tf",
                    "ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
                    "AccessTokenValidity": 30,
                    "RefreshTokenValidity": 30,
                    "TokenValidityUnits": {"AccessToken": "minutes", "RefreshToken": "days"},
                    "ReadAttributes": ["email", "custom:counties"],
                },
            },
        }
    )


def _machine() -> dict[str, Any]:
    definition = {
        "StartAt": "Plan",
        "States": {
            "Plan": {
                "Type": "Task",
                "Resource": "@plan@",
                "Retry": [{"ErrorEquals": ["RetryableError"], "IntervalSeconds": 1, "MaxAttempts": 2}],
                "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.failure", "Next": "Note"}],
                "Next": "Each",
            },
            "Each": {
                "Type": "Map",
                "ItemProcessor": {
                    "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                    "StartAt": "Work",
                    "States": {
                        "Work": {
                            "Type": "Task",
                            "Resource": "@work@",
                            "Retry": [
                                {
                                    "ErrorEquals": ["Runtime.ExitError", "Sandbox.Timedout"],
                                    "IntervalSeconds": 1,
                                    "MaxAttempts": 1,
                                }
                            ],
                            "End": True,
                        }
                    },
                },
                "ItemReader": {
                    "Resource": "arn:aws:states:::s3:getObject",
                    "ReaderConfig": {"InputType": "JSON"},
                    "Parameters": {"Bucket": "@bucket@", "Key.$": "$.key"},
                },
                "ItemSelector": {"item.$": "$$.Map.Item.Value"},
                "MaxConcurrency": 4,
                "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.failure", "Next": "Note"}],
                "End": True,
            },
            "Note": {"Type": "Task", "Resource": "@note@", "Next": "Failed"},
            "Failed": {"Type": "Fail", "ErrorPath": "$.Error", "CausePath": "$.Cause"},
        },
    }
    parts: list[Any] = []
    values = {"plan": _arn("Plan"), "work": _arn("Work"), "note": _arn("Note"), "bucket": _output("BucketName")}
    for number, part in enumerate(json.dumps(definition).split("@")):
        parts.append(values[part] if number % 2 else part)
    bucket = _output("BucketName")
    files = (["s3:GetObject", "s3:PutObject"], _objects("*"))
    return _role("TaskRole", files, (["s3:ListBucket"], {"Fn::Join": ["", ["arn:aws:s3:::", bucket]]})) | {
        "Plan": _function("plan", role="TaskRole", DATA_BUCKET=bucket),
        "Work": _function("work", timeout=3, role="TaskRole", DATA_BUCKET=bucket),
        "Note": _function("note", role="TaskRole", DATA_BUCKET=bucket),
        "Alone": _function("note", role="TaskRole", DATA_BUCKET=bucket, reserved=0),
        "Machine": {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {"StateMachineName": "tf-sync", "DefinitionString": {"Fn::Join": ["", parts]}},
        },
        "Ended": {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "EventPattern": {
                    "source": ["aws.states"],
                    "detail-type": ["Step Functions Execution Status Change"],
                    "detail": {"status": ["FAILED", "TIMED_OUT", "ABORTED"], "stateMachineArn": [_ref("Machine")]},
                },
                "State": "ENABLED",
                "Targets": [{"Arn": _arn("Settle"), "Id": "Target0"}],
            },
        },
        "Settle": _function("settle", role="TaskRole", DATA_BUCKET=bucket),
        "Schedules": {"Type": "AWS::Scheduler::ScheduleGroup", "Properties": {"Name": "tf-syncs"}},
    }
