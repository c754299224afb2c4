"""Queries over the synthesized templates."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Resource:
    """A resource of a template."""

    stack: str
    logical_id: str
    type: str
    properties: Mapping[str, Any]
    whole: Mapping[str, Any]


class Templates:
    """All stacks of a stage, by their construct's id: Network, Data, Identity, Sync, Jobs, Api, Observability."""

    def __init__(self, folder: Path, stage: str) -> None:
        self.by_stack: dict[str, dict[str, Any]] = {
            path.name.removeprefix(stage).removesuffix(".template.json")[:-8]: json.loads(path.read_text())
            for path in sorted(folder.glob("*.template.json"))
        }

    def resources(self, kind: str | None = None, stack: str | None = None) -> Iterator[Resource]:
        """The resources of a type, of all stacks or of one."""
        for name, template in self.by_stack.items():
            if stack in (None, name):
                for logical_id, body in template["Resources"].items():
                    if kind in (None, body["Type"]):
                        yield Resource(name, logical_id, body["Type"], body.get("Properties", {}), body)

    def one(self, kind: str, stack: str | None = None) -> Resource:
        """The only resource of its type."""
        (resource,) = self.resources(kind, stack)
        return resource

    def data_bucket(self) -> Resource:
        """The bucket of the counties' objects; another one holds the log of its requests."""
        (bucket,) = [b for b in self.resources("AWS::S3::Bucket") if "LoggingConfiguration" in b.properties]
        return bucket

    def application_secret(self) -> Resource:
        """The secret that functions connect to the database with."""
        secrets = self.resources("AWS::SecretsManager::Secret")
        (secret,) = [s for s in secrets if "terrafusion_app" in json.dumps(s.properties)]
        return secret

    def functions(self) -> dict[str, Resource]:
        """The project's own functions by name (`sync-plan`); the CDK's helpers are not among them."""
        prefix = "terrafusion-dev-"
        return {
            function.properties["FunctionName"].removeprefix(prefix): function
            for function in self.resources("AWS::Lambda::Function")
            if str(function.properties.get("FunctionName", "")).startswith(prefix)
        }

    def statements(self) -> Iterator[tuple[Resource, dict[str, Any]]]:
        """Every statement of every policy that says what a role may do."""
        for resource in self.resources():
            if not resource.type.startswith("AWS::IAM::"):
                continue
            documents = [resource.properties.get("PolicyDocument")]
            documents += [policy["PolicyDocument"] for policy in resource.properties.get("Policies", [])]
            for document in documents:
                for statement in (document or {}).get("Statement", []):
                    yield resource, statement

    def definition(self, stack: str) -> dict[str, Any]:
        """The state machine of a stack, with a function's name in its ARN and `data` for the bucket."""
        machine = self.one("AWS::StepFunctions::StateMachine", stack)
        functions = {r.logical_id: r.properties["FunctionName"] for r in self.functions().values()}
        versions = self.resources("AWS::Lambda::Version", stack)
        names = {r.logical_id: functions[r.properties["FunctionName"]["Ref"]] for r in versions}
        parts = machine.properties["DefinitionString"]["Fn::Join"][1]
        definition: dict[str, Any] = json.loads("".join(_text(part, names) for part in parts))
        return definition


def listed(value: Any) -> list[Any]:
    """A policy's field holds one thing or a list of them."""
    return value if isinstance(value, list) else [value]


def access_log_line(text: str) -> dict[str, Any]:
    """A line of the gateway's log, with its variables; those that are written as numbers are numbers here: 1."""
    line: dict[str, Any] = json.loads(re.sub(r"(?<=:)\$context\.[\w.]+", "1", text))
    return line


def _text(part: Any, names: Mapping[str, str]) -> str:
    match part:
        case str():
            return part
        case {"Ref": "AWS::Partition"}:
            return "aws"
        case {"Ref": logical_id}:  # of a published version: what an execution began with it ends with
            return f"arn:aws:lambda:us-east-1:123456789012:function:{names[logical_id]}"
        case {"Fn::ImportValue": str()}:
            return "data"
    raise ValueError(f"a state machine refers to {part}")
