"""Physical names, ARNs and attributes of a template's resources in the local cloud.

Names follow from stack and logical id alone, so they are the same at every start and nothing has to remember
them. What CloudFormation would leave to chance (the id of a user pool) is taken from a digest of the two.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from infra.local.cloud_assembly import ACCOUNT, REGION, Resource

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def arn(service: str, path: str, *, region: str = REGION, account: str = ACCOUNT) -> str:
    """The ARN of something of this account."""
    return f"arn:aws:{service}:{region}:{account}:{path}"


def derived(resource: Resource, length: int, letters: str = _LETTERS) -> str:
    """A name of `length` letters that only this resource has."""
    number = int.from_bytes(hashlib.sha512(f"{resource.stack}/{resource.logical_id}".encode()).digest())
    name = ""
    for _ in range(length):
        number, letter = divmod(number, len(letters))
        name += letters[letter]
    return name


def generated_name(resource: Resource, limit: int = 64) -> str:
    """A readable name for what the template does not name, as CloudFormation makes them."""
    tail = derived(resource, 12)
    return f"{resource.stack}-{resource.logical_id}"[: limit - 13] + f"-{tail}"


@dataclass(frozen=True)
class LocalIdentifiers:
    """Names and addresses; the database's are those of the local server."""

    database_host: str = "127.0.0.1"
    database_port: int = 5432

    def reference(self, resource: Resource, resolved: Mapping[str, Any]) -> Any:
        """Value of `Ref`."""
        match resource.type:
            case "AWS::StepFunctions::StateMachine" | "AWS::SecretsManager::Secret" | "AWS::SNS::Topic":
                return self.attribute(resource, "Arn", resolved)
            case "AWS::Lambda::Version" | "AWS::Lambda::Alias":  # a function has one version here: its newest
                return arn("lambda", f"function:{resolved['FunctionName']}")
            case "AWS::SecretsManager::SecretTargetAttachment":
                return resolved["SecretId"]
            case "AWS::Cognito::UserPool":
                return f"{REGION}_{derived(resource, 9)}"
            case "AWS::Cognito::UserPoolClient":
                return derived(resource, 26, _LETTERS[:26] + _LETTERS[52:])
            case "AWS::ApiGateway::RestApi":
                return derived(resource, 10, _LETTERS[:26] + _LETTERS[52:])
            case "AWS::ApiGateway::Stage":
                return resolved.get("StageName", "prod")
        return _name(resource, resolved)

    def attribute(self, resource: Resource, name: str, resolved: Mapping[str, Any]) -> Any:
        """Value of `Fn::GetAtt`. An attribute that nothing here depends on is a name that says what it is."""
        if resource.type == "AWS::RDS::DBCluster":
            endpoints = {"Address": self.database_host, "Port": str(self.database_port)}
            if name in ("Endpoint.Address", "Endpoint.Port", "ReadEndpoint.Address"):
                return endpoints[name.rpartition(".")[2]]
        if name == "Arn":
            return self._arn(resource, resolved)
        if name in ("Id", "Ref", "UserPoolId", "ClientId", "RestApiId", "ResourceId", "StageName"):
            return self.reference(resource, resolved)
        if name == "Name":
            return _name(resource, resolved)
        return f"{resource.logical_id}.{name}"

    def _arn(self, resource: Resource, resolved: Mapping[str, Any]) -> str:
        name = _name(resource, resolved)
        if resource.type == "AWS::Cognito::UserPool":
            return arn("cognito-idp", f"userpool/{self.reference(resource, resolved)}")
        if resource.type == "AWS::SecretsManager::Secret":
            return arn("secretsmanager", f"secret:{name}-{derived(resource, 6)}")
        if resource.type == "AWS::S3::Bucket":
            return arn("s3", name, region="", account="")
        if resource.type == "AWS::IAM::Role":
            return arn("iam", f"role/{name}", region="")
        service, path = _ARN_PATHS.get(resource.type, (resource.type.split("::")[1].lower(), "{}"))
        return arn(service, path.format(name))


_ARN_PATHS = {
    "AWS::Lambda::Function": ("lambda", "function:{}"),
    "AWS::StepFunctions::StateMachine": ("states", "stateMachine:{}"),
    "AWS::Events::EventBus": ("events", "event-bus/{}"),
    "AWS::Events::Rule": ("events", "rule/{}"),
    "AWS::Scheduler::ScheduleGroup": ("scheduler", "schedule-group/{}"),
    "AWS::Logs::LogGroup": ("logs", "log-group:{}:*"),
}

_NAME_PROPERTIES = {
    "AWS::Lambda::Function": ("FunctionName", 64),
    "AWS::S3::Bucket": ("BucketName", 63),
    "AWS::StepFunctions::StateMachine": ("StateMachineName", 80),
    "AWS::SecretsManager::Secret": ("Name", 128),
    "AWS::IAM::Role": ("RoleName", 64),
    "AWS::Events::EventBus": ("Name", 128),
    "AWS::Events::Rule": ("Name", 64),
    "AWS::Scheduler::ScheduleGroup": ("Name", 64),
    "AWS::Scheduler::Schedule": ("Name", 64),
    "AWS::Logs::LogGroup": ("LogGroupName", 128),
    "AWS::SNS::Topic": ("TopicName", 128),
    "AWS::SQS::Queue": ("QueueName", 80),
    "AWS::Cognito::UserPoolGroup": ("GroupName", 128),
    "AWS::Cognito::UserPoolResourceServer": ("Identifier", 256),
}


def _name(resource: Resource, resolved: Mapping[str, Any]) -> str:
    """The name the template gives, or a generated one; other resources are called by their logical id."""
    if resource.type not in _NAME_PROPERTIES:
        return resource.logical_id
    name_property, limit = _NAME_PROPERTIES[resource.type]
    declared = resolved.get(name_property) or resource.properties.get(name_property)
    if isinstance(declared, str):
        return declared
    if declared is not None:
        message = f"{resource.stack}: the name of {resource.logical_id} depends on itself: {json.dumps(declared)}"
        raise ValueError(message)
    name = generated_name(resource, limit)
    return name.lower() if resource.type == "AWS::S3::Bucket" else name
