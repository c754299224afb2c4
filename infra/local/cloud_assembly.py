"""A synthesized cloud assembly: its stacks, and the values that CloudFormation would put into their templates."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

ACCOUNT = "123456789012"
REGION = "us-east-1"

_PSEUDO_PARAMETERS = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Region": REGION,
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::NotificationARNs": [],
}
_NO_VALUE = object()
_SUBSTITUTED = re.compile(r"\$\{(!?)([^}]*)\}")


class TemplateError(ValueError):
    """A template that cannot be read: the message names the stack and what is wrong in it."""


@dataclass(frozen=True)
class Resource:
    """One resource as the template declares it; `properties` are unresolved."""

    stack: str
    logical_id: str
    type: str
    properties: Mapping[str, Any] = field(default_factory=dict)


class Identifiers(Protocol):
    """Physical names and attributes of resources. `resolved` gives a resource's properties without intrinsics."""

    def reference(self, resource: Resource, resolved: Mapping[str, Any]) -> Any: ...
    def attribute(self, resource: Resource, name: str, resolved: Mapping[str, Any]) -> Any: ...


class Assembly:
    """The stacks of one stage.

    `folder` holds a `manifest.json`; an assembly with nested ones (a CDK `Stage` each) is entered by `stage`,
    which may be left out when there is one.
    """

    def __init__(self, folder: Path, identifiers: Identifiers, stage: str | None = None) -> None:
        self._identifiers = identifiers
        self._templates = dict(_templates(folder, stage))
        self._resolving: set[tuple[str, str]] = set()
        self._resolved: dict[tuple[str, str], dict[str, Any]] = {}

    def resources(self, *types: str) -> list[Resource]:
        """All resources of these types (of every type without any), stack after stack."""
        declared = (r for stack in self._templates for r in self._stack_resources(stack))
        return [resource for resource in declared if not types or resource.type in types]

    def properties(self, resource: Resource) -> dict[str, Any]:
        """The resource's properties with every intrinsic function replaced by its value."""
        key = (resource.stack, resource.logical_id)
        if key not in self._resolved:
            if key in self._resolving:
                message = f"{resource.stack}: {resource.logical_id} refers to itself"
                raise TemplateError(message)
            self._resolving.add(key)
            self._resolved[key] = self.resolve(resource.stack, resource.properties)
            self._resolving.discard(key)
        return self._resolved[key]

    def reference(self, resource: Resource) -> Any:
        """Value of `Ref` for the resource."""
        return self._identifiers.reference(resource, self._own_properties(resource))

    def attribute(self, resource: Resource, name: str) -> Any:
        """Value of `Fn::GetAtt` for the resource."""
        return self._identifiers.attribute(resource, name, self._own_properties(resource))

    def resolve(self, stack: str, value: Any) -> Any:
        """`value`, written in the template of `stack`, with every intrinsic function replaced."""
        resolved = self._resolve(stack, value)
        return None if resolved is _NO_VALUE else resolved

    def _own_properties(self, resource: Resource) -> Mapping[str, Any]:
        """Properties for naming a resource: resolved, except where it refers to what depends on itself."""
        key = (resource.stack, resource.logical_id)
        return {} if key in self._resolving else self.properties(resource)

    def _stack_resources(self, stack: str) -> Iterator[Resource]:
        template = self._templates[stack]
        for logical_id, body in template.get("Resources", {}).items():
            condition = body.get("Condition")
            if condition is None or self._condition(stack, condition):
                yield Resource(stack, logical_id, body["Type"], body.get("Properties", {}))

    def _resource(self, stack: str, logical_id: str) -> Resource:
        body = self._templates[stack].get("Resources", {}).get(logical_id)
        if body is None:
            message = f"{stack}: there is no resource {logical_id}"
            raise TemplateError(message)
        return Resource(stack, logical_id, body["Type"], body.get("Properties", {}))

    def _resolve(self, stack: str, value: Any) -> Any:
        if isinstance(value, list):
            return [item for item in (self._resolve(stack, part) for part in value) if item is not _NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            name, argument = next(iter(value.items()))
            if name == "Ref":
                return self._ref(stack, argument)
            if name.startswith("Fn::"):
                return self._function(stack, name.removeprefix("Fn::"), argument)
        pairs = ((name, self._resolve(stack, part)) for name, part in value.items())
        return {name: part for name, part in pairs if part is not _NO_VALUE}

    def _ref(self, stack: str, name: str) -> Any:
        if name == "AWS::NoValue":
            return _NO_VALUE
        if name in ("AWS::StackName", "AWS::StackId"):
            return stack
        if name in _PSEUDO_PARAMETERS:
            return _PSEUDO_PARAMETERS[name]
        parameter = self._templates[stack].get("Parameters", {}).get(name)
        if parameter is not None:
            return parameter.get("Default", "")
        return self.reference(self._resource(stack, name))

    def _function(self, stack: str, name: str, argument: Any) -> Any:
        method = getattr(self, f"_fn_{name.lower()}", None)
        if method is None:
            message = f"{stack}: the function Fn::{name} is not known here"
            raise TemplateError(message)
        return method(stack, argument)

    def _fn_getatt(self, stack: str, argument: Any) -> Any:
        logical_id, name = argument.split(".", 1) if isinstance(argument, str) else argument
        return self.attribute(self._resource(stack, logical_id), self._resolve(stack, name))

    def _fn_join(self, stack: str, argument: Any) -> str:
        separator, parts = argument
        return str(separator).join(str(part) for part in self._resolve(stack, parts))

    def _fn_sub(self, stack: str, argument: Any) -> str:
        text, variables = (argument, {}) if isinstance(argument, str) else argument

        def value(match: re.Match[str]) -> str:
            literal, name = match.groups()
            if literal:
                return "${" + name + "}"
            if name in variables:
                return str(self._resolve(stack, variables[name]))
            is_attribute = "." in name and not name.startswith("AWS::")
            return str(self._fn_getatt(stack, name) if is_attribute else self._ref(stack, name))

        return _SUBSTITUTED.sub(value, text)

    def _fn_select(self, stack: str, argument: Any) -> Any:
        index, items = argument
        return self._resolve(stack, items)[int(self._resolve(stack, index))]

    def _fn_split(self, stack: str, argument: Any) -> list[str]:
        separator, text = argument
        return str(self._resolve(stack, text)).split(separator)

    def _fn_base64(self, stack: str, argument: Any) -> str:
        import base64

        return base64.b64encode(str(self._resolve(stack, argument)).encode()).decode()

    def _fn_getazs(self, _stack: str, _argument: Any) -> list[str]:
        return [f"{REGION}{zone}" for zone in "abc"]

    def _fn_findinmap(self, stack: str, argument: Any) -> Any:
        name, top, second = (self._resolve(stack, part) for part in argument[:3])
        return self._templates[stack]["Mappings"][name][top][second]

    def _fn_tojsonstring(self, stack: str, argument: Any) -> str:
        return json.dumps(self._resolve(stack, argument))

    def _fn_importvalue(self, stack: str, argument: Any) -> Any:
        export = self._resolve(stack, argument)
        for exporting_stack, template in self._templates.items():
            for output in template.get("Outputs", {}).values():
                if "Export" in output and self._resolve(exporting_stack, output["Export"]["Name"]) == export:
                    return self._resolve(exporting_stack, output["Value"])
        message = f"{stack}: no stack exports {export}"
        raise TemplateError(message)

    def _fn_getstackoutput(self, stack: str, argument: Any) -> Any:
        other_stack, name = (self._resolve(stack, argument[part]) for part in ("StackName", "OutputName"))
        try:
            value = self._templates[other_stack]["Outputs"][name]["Value"]
        except KeyError:
            message = f"{stack}: there is no output {name} of the stack {other_stack}"
            raise TemplateError(message) from None
        return self._resolve(other_stack, value)

    def _fn_if(self, stack: str, argument: Any) -> Any:
        condition, yes, no = argument
        return self._resolve(stack, yes if self._condition(stack, condition) else no)

    def _condition(self, stack: str, name: str) -> bool:
        return bool(self._resolve(stack, self._templates[stack]["Conditions"][name]))

    def _fn_equals(self, stack: str, argument: Any) -> bool:
        left, right = (self._resolve(stack, part) for part in argument)
        return bool(left == right)

    def _fn_not(self, stack: str, argument: Any) -> bool:
        return not self._test(stack, argument[0])

    def _fn_and(self, stack: str, argument: Any) -> bool:
        return all(self._test(stack, part) for part in argument)

    def _fn_or(self, stack: str, argument: Any) -> bool:
        return any(self._test(stack, part) for part in argument)

    def _test(self, stack: str, value: Any) -> bool:
        if isinstance(value, dict) and "Condition" in value:
            return self._condition(stack, value["Condition"])
        return bool(self._resolve(stack, value))


def _templates(folder: Path, stage: str | None) -> Iterator[tuple[str, dict[str, Any]]]:
    """Stack name and template of each stack, in order of deployment."""
    artifacts = json.loads((folder / "manifest.json").read_text())["artifacts"]
    nested = {
        artifact["properties"].get("displayName", name): artifact["properties"]["directoryName"]
        for name, artifact in artifacts.items()
        if artifact["type"] == "cdk:cloud-assembly"
    }
    if nested:
        chosen = stage or next(iter(nested))
        if chosen not in nested:
            message = f"{folder}: there is no stage {chosen}, only {', '.join(nested)}"
            raise TemplateError(message)
        yield from _templates(folder / nested[chosen], None)
    for name, artifact in artifacts.items():
        if artifact["type"] == "aws:cloudformation:stack":
            properties = artifact["properties"]
            template = json.loads((folder / properties["templateFile"]).read_text())
            yield properties.get("stackName", name), template
