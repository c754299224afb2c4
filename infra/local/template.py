"""The template as the local cloud needs it: functions, routes, machines and what they use, fully resolved."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from infra.local.cloud_assembly import Assembly, Resource, TemplateError
from infra.local.resource_names import arn
from infra.local.rest_api import RestApi, read_rest_api


@dataclass(frozen=True)
class Function:
    """A Lambda function in Python.

    `handler` is `package.module.attribute`; `timeout` is in seconds; `role` the ARN of its execution role;
    `reserved_concurrency` the events that it may work on at a time, None for as many as the account may.
    """

    logical_id: str
    name: str
    arn: str
    handler: str
    environment: Mapping[str, str]
    timeout: float
    memory_mb: int
    role: str = ""
    scratch_mb: int = 512
    reserved_concurrency: int | None = None


@dataclass(frozen=True)
class StateMachine:
    """`definition` is Amazon States Language with every ARN filled in."""

    name: str
    arn: str
    definition: str


@dataclass(frozen=True)
class Secret:
    """A secret to be generated: the members of `template`, and under `key` a password."""

    name: str
    arn: str
    template: Mapping[str, Any]
    key: str | None
    length: int
    excluded: str
    exclude_punctuation: bool
    attached: bool
    """Attached to the database: it gets the members that RDS adds."""


@dataclass(frozen=True)
class UserPool:
    """The pool, its client, groups and resource servers, as the properties of their resources."""

    identifier: str
    client_identifier: str
    properties: Mapping[str, Any]
    client: Mapping[str, Any]
    groups: tuple[Mapping[str, Any], ...]
    resource_servers: tuple[Mapping[str, Any], ...]

    @property
    def token_trigger(self) -> str | None:
        """The ARN of the V2 pre-token-generation trigger."""
        trigger = self.properties.get("LambdaConfig", {}).get("PreTokenGenerationConfig")
        return trigger["LambdaArn"] if trigger else None


@dataclass(frozen=True)
class CustomResource:
    """A custom resource; `function` is the ARN of the provider's function that makes it during a deployment."""

    logical_id: str
    type: str
    function: str
    properties: Mapping[str, Any]


class Template:
    """Reads an assembly; every list is in the order of the templates."""

    def __init__(self, assembly: Assembly) -> None:
        self._assembly = assembly

    def functions(self) -> list[Function]:
        """The functions of the project: those that run Python."""
        return [
            self._function(resource)
            for resource in self._assembly.resources("AWS::Lambda::Function")
            if str(resource.properties.get("Runtime", "")).startswith("python")
        ]

    def _function(self, resource: Resource) -> Function:
        properties = self._assembly.properties(resource)
        variables = properties.get("Environment", {}).get("Variables", {})
        return Function(
            logical_id=resource.logical_id,
            name=self._assembly.reference(resource),
            arn=self._assembly.attribute(resource, "Arn"),
            handler=properties["Handler"],
            environment={name: str(value) for name, value in variables.items()},
            timeout=float(properties.get("Timeout", 3)),
            memory_mb=int(properties.get("MemorySize", 128)),
            role=properties["Role"],
            scratch_mb=int(properties.get("EphemeralStorage", {}).get("Size", 512)),
            reserved_concurrency=properties.get("ReservedConcurrentExecutions"),
        )

    def role_policies(self) -> dict[str, list[dict[str, Any]]]:
        """The policy documents of each role of the template, by the role's ARN."""
        arns = {
            self._assembly.reference(role): self._assembly.attribute(role, "Arn")
            for role in self._assembly.resources("AWS::IAM::Role")
        }
        documents: dict[str, list[dict[str, Any]]] = {role_arn: [] for role_arn in arns.values()}
        for policy in self._all("AWS::IAM::Policy"):
            for role in policy["Roles"]:
                documents[arns[role]].append(policy["PolicyDocument"])
        return documents

    def resource_policies(self) -> dict[str, list[dict[str, Any]]]:
        """The policy documents of buckets and secrets, by the ARN of what they are attached to."""
        documents: dict[str, list[dict[str, Any]]] = {}
        for policy in self._all("AWS::S3::BucketPolicy"):
            bucket = arn("s3", policy["Bucket"], region="", account="")
            documents.setdefault(bucket, []).append(policy["PolicyDocument"])
        for policy in self._all("AWS::SecretsManager::ResourcePolicy"):
            documents.setdefault(policy["SecretId"], []).append(policy["ResourcePolicy"])
        return documents

    def rest_api(self) -> RestApi:
        """The one REST API. Raises TemplateError when there is none, or more than one."""
        apis = self._assembly.resources("AWS::ApiGateway::RestApi")
        if len(apis) != 1:
            message = f"the template has {len(apis)} REST APIs where one is expected"
            raise TemplateError(message)
        stages = self._all("AWS::ApiGateway::Stage")
        return read_rest_api(
            self._assembly.reference(apis[0]),
            stages[0]["StageName"] if stages else "prod",
            self._assembly.properties(apis[0])["Body"],
        )

    def state_machines(self) -> list[StateMachine]:
        """The machines, with definitions ready to run."""
        return [
            StateMachine(
                name=self._assembly.attribute(resource, "Name"),
                arn=self._assembly.reference(resource),
                definition=_definition(self._assembly.properties(resource)),
            )
            for resource in self._assembly.resources("AWS::StepFunctions::StateMachine")
        ]

    def buckets(self) -> list[str]:
        """The buckets' names."""
        return [self._assembly.reference(resource) for resource in self._assembly.resources("AWS::S3::Bucket")]

    def event_buses(self) -> list[str]:
        """The names of the event buses of our own."""
        return [
            self._assembly.attribute(resource, "Name") for resource in self._assembly.resources("AWS::Events::EventBus")
        ]

    def rules(self) -> list[dict[str, Any]]:
        """The rules of EventBridge as the properties of their resources, each with its `Name`."""
        return [
            self._assembly.properties(resource) | {"Name": self._assembly.attribute(resource, "Name")}
            for resource in self._assembly.resources("AWS::Events::Rule")
        ]

    def schedule_groups(self) -> list[str]:
        """The names of the schedule groups."""
        groups = self._assembly.resources("AWS::Scheduler::ScheduleGroup")
        return [self._assembly.reference(resource) for resource in groups]

    def schedules(self) -> list[dict[str, Any]]:
        """The schedules that the template itself makes, each with its `Name`."""
        return [
            self._assembly.properties(resource) | {"Name": self._assembly.reference(resource)}
            for resource in self._assembly.resources("AWS::Scheduler::Schedule")
        ]

    def secrets(self) -> list[Secret]:
        """The secrets, without their values."""
        attached = {each["SecretId"] for each in self._all("AWS::SecretsManager::SecretTargetAttachment")}
        return [
            self._secret(resource, attached) for resource in self._assembly.resources("AWS::SecretsManager::Secret")
        ]

    def _secret(self, resource: Resource, attached: set[str]) -> Secret:
        properties = self._assembly.properties(resource)
        generation = properties.get("GenerateSecretString", {})
        secret_arn = self._assembly.reference(resource)
        return Secret(
            name=self._assembly.attribute(resource, "Name"),
            arn=secret_arn,
            template=json.loads(generation.get("SecretStringTemplate") or properties.get("SecretString") or "{}"),
            key=generation.get("GenerateStringKey"),
            length=int(generation.get("PasswordLength", 32)),
            excluded=generation.get("ExcludeCharacters", ""),
            exclude_punctuation=bool(generation.get("ExcludePunctuation", False)),
            attached=secret_arn in attached,
        )

    def database_owner(self) -> tuple[str, str]:
        """The role that owns the database, and the database's name, as the secrets say them.

        Raises TemplateError when they do not.
        """
        secrets = self.secrets()
        owners = [secret.template["username"] for secret in secrets if secret.attached]
        names = [secret.template["dbname"] for secret in secrets if "dbname" in secret.template]
        if not owners or not names:
            message = "the template has no secret of a database's owner, or none that names a database"
            raise TemplateError(message)
        return owners[0], names[0]

    def user_pool(self) -> UserPool:
        """The one user pool and its one client. Raises TemplateError for any other number."""
        pools = self._assembly.resources("AWS::Cognito::UserPool")
        clients = self._assembly.resources("AWS::Cognito::UserPoolClient")
        if len(pools) != 1 or len(clients) != 1:
            message = "the template must have one user pool with one client"
            raise TemplateError(message)
        return UserPool(
            identifier=self._assembly.reference(pools[0]),
            client_identifier=self._assembly.reference(clients[0]),
            properties=self._assembly.properties(pools[0]),
            client=self._assembly.properties(clients[0]),
            groups=tuple(self._all("AWS::Cognito::UserPoolGroup")),
            resource_servers=tuple(self._all("AWS::Cognito::UserPoolResourceServer")),
        )

    def custom_resources(self) -> list[CustomResource]:
        """The custom resources that functions of the project make, directly or behind the CDK's provider."""
        ours = {function.arn for function in self.functions()}
        handlers = self._provider_handlers()
        declared = []
        for resource in self._assembly.resources():
            if not resource.type.startswith("Custom::") and resource.type != _CUSTOM_RESOURCE:
                continue
            properties = self._assembly.properties(resource)
            token = handlers.get(properties["ServiceToken"], properties["ServiceToken"])
            if token in ours:
                declared.append(CustomResource(resource.logical_id, resource.type, token, properties))
        return declared

    def _provider_handlers(self) -> dict[str, str]:
        """The CDK's provider functions, which only pass the event on, and the functions that they call."""
        handlers = {}
        for resource in self._assembly.resources("AWS::Lambda::Function"):
            variables = self._assembly.properties(resource).get("Environment", {}).get("Variables", {})
            if "USER_ON_EVENT_FUNCTION_ARN" in variables:
                own = self._assembly.attribute(resource, "Arn")
                handlers[own] = variables["USER_ON_EVENT_FUNCTION_ARN"]
        return handlers

    def _all(self, kind: str) -> list[dict[str, Any]]:
        return [self._assembly.properties(resource) for resource in self._assembly.resources(kind)]


_CUSTOM_RESOURCE = "AWS::CloudFormation::CustomResource"


def _definition(properties: Mapping[str, Any]) -> str:
    if "DefinitionString" in properties:
        return str(properties["DefinitionString"])
    return json.dumps(properties["Definition"])
