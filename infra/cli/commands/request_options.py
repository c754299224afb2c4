"""Options of a command from the schema of a request's body, and the body from what was typed.

The API validates: an option is only as typed as it must be to become JSON.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from inspect import Parameter
from typing import Any

import typer

from infra.cli.commands.api_description import resolved


@dataclass(frozen=True)
class RequestOption:
    """One member of the body, or of an object in it (`path`), as an option."""

    path: tuple[str, ...]
    kind: str
    """string, integer, number, boolean, strings (repeated), numbers (separated by commas) or pairs (NAME=VALUE)."""
    help: str
    choices: tuple[str, ...]

    @property
    def name(self) -> str:
        """The name of the Python parameter."""
        last = self.path[-1]
        return f"{last}_" if last in {"from", "class"} else last

    def parameter(self) -> Parameter:
        """The option as Typer reads it."""
        repeated = self.kind in ("strings", "pairs")
        annotation: Any = list[str] if repeated else bool | None if self.kind == "boolean" else str | None
        flag = self.path[-1].replace("_", "-")
        flags = f"--{flag}/--no-{flag}" if self.kind == "boolean" else f"--{flag}"
        default = typer.Option([] if repeated else None, flags, help=self.help, metavar=self._metavar())
        return Parameter(self.name, Parameter.KEYWORD_ONLY, default=default, annotation=annotation)

    def value(self, typed: Any) -> Any:
        """The typed value as JSON. Raises typer.BadParameter."""
        flag = f"--{self.path[-1].replace('_', '-')}"
        try:
            match self.kind:
                case "integer":
                    return int(typed)
                case "number":
                    return float(typed)
                case "numbers":
                    return [float(part) for part in typed.split(",")]
                case "pairs":
                    return dict(pair.split("=", 1) for pair in typed)
        except ValueError:
            raise typer.BadParameter(f"{flag} takes {self._metavar()}, not {typed!r}") from None
        return list(typed) if self.kind == "strings" else typed

    def _metavar(self) -> str | None:
        plain = {"numbers": "N,N,...", "pairs": "NAME=VALUE", "integer": "INTEGER", "number": "NUMBER"}
        return None if self.kind == "boolean" else plain.get(self.kind, "TEXT")


def request_options(schema: Mapping[str, Any], within: tuple[str, ...] = ()) -> list[RequestOption]:
    """The options for a body; members of its objects are options of their own."""
    options: dict[str, RequestOption] = {}
    for name, member in schema.get("properties", {}).items():
        alternatives = [resolved(each) for each in member.get("anyOf", [member])]
        objects = [each for each in alternatives if each.get("properties")]
        if objects:
            schemas = objects if len(objects) == 1 else [{**each, "required": ()} for each in objects]  # one of them
            inner = [option for each in schemas for option in request_options(each, (*within, name))]
            options |= {option.name: option for option in inner if option.name not in options}
            continue
        required = name in schema.get("required", ())
        option = _option((*within, name), member, alternatives, required=required)
        options[option.name] = option
    return list(options.values())


def request_body(options: list[RequestOption], typed: Mapping[str, Any]) -> dict[str, Any]:
    """The body of what was typed; what was not is left to the API. Raises typer.BadParameter."""
    body: dict[str, Any] = {}
    for option in options:
        value = typed.get(option.name)
        if value is None or value == [] or value == ():
            continue
        target = body
        for part in option.path[:-1]:
            target = target.setdefault(part, {})
        target[option.path[-1]] = option.value(value)
    return body


def _option(
    path: tuple[str, ...], member: Mapping[str, Any], alternatives: list[Mapping[str, Any]], *, required: bool
) -> RequestOption:
    taken = [each for each in alternatives if each.get("type") != "null"]
    array = next((each for each in taken if each.get("type") == "array"), None)
    first = array or (taken[0] if taken else {})
    choices = tuple(str(value) for value in _choices(first))
    if array is not None:
        items = resolved(array.get("items", {}))
        kind = "strings" if items.get("type") == "string" or "enum" in items else "numbers"
    elif first.get("type") == "object":
        kind = "pairs"
    else:
        kind = str(first.get("type", "string"))
    items = resolved(first.get("items", {}))
    help_texts = [str(member.get("description") or first.get("description") or items.get("description") or "")]
    if choices:
        help_texts.append(f"One of {', '.join(choices)}.")
    if required:
        help_texts.append("Required.")
    elif member.get("default") not in (None, [], {}):
        help_texts.append(f"By default {member['default']}.")
    return RequestOption(path, kind, " ".join(part for part in help_texts if part), choices)


def _choices(schema: Mapping[str, Any]) -> list[Any]:
    schema = resolved(schema.get("items", schema)) if schema.get("type") == "array" else schema
    return list(schema.get("enum", ()))
