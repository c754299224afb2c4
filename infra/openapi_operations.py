"""The operations of the OpenAPI document, and the Python types of its schemas."""

import keyword
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

JSON = "application/json"
METHODS = ("get", "post", "put", "patch", "delete")
SIGN_IN = frozenset({"auth_login", "auth_challenge", "auth_refresh", "auth_logout"})
"""Operations that the session makes by itself."""
LIST_VERBS = ("list_", "search_")
PAGE_MEMBERS = frozenset({"items", "next_page_token"})
JOB_MEMBERS = frozenset({"id", "kind", "status", "progress", "links"})

_SCALARS = {"integer": "int", "number": "float", "boolean": "bool", "null": "None", "string": "str"}
_FORMATS = {"decimal": "Decimal", "date": "date", "date-time": "datetime"}

Schema = Mapping[str, Any]


@dataclass(frozen=True)
class Names:
    """Schemas of a document, as Python types: of answers, or of requests."""

    schemas: Mapping[str, Schema]
    of_requests: bool = False
    module: str = ""
    """The module that the classes are referred to by, with a point."""

    def annotation(self, schema: Schema) -> str:
        """The type of a value."""
        if "$ref" in schema:
            return self.module + class_name(schema["$ref"].rpartition("/")[2])
        alternatives = schema.get("anyOf") or schema.get("oneOf")
        if alternatives:
            types = (self.annotation(each).split(" | ") for each in alternatives)
            return " | ".join(dict.fromkeys(part for parts in types for part in parts))
        if "const" in schema:
            return f"Literal[{schema['const']!r}]"
        if "enum" in schema:
            return f"Literal[{', '.join(repr(value) for value in schema['enum'])}]"
        match schema.get("type"):
            case "array":
                return f"list[{self.annotation(schema.get('items', {}))}]"
            case "object":
                return f"dict[str, {self._values(schema)}]"
            case "string" if self.of_requests and schema.get("format") in _FORMATS:
                return f"{_FORMATS[schema['format']]} | str"
            case "string":
                return _FORMATS.get(schema.get("format", ""), "str")
            case kind:
                return _SCALARS.get(str(kind), "Any")

    def _values(self, schema: Schema) -> str:
        values = schema.get("additionalProperties") or next(iter(schema.get("patternProperties", {}).values()), None)
        return self.annotation(values) if isinstance(values, dict) else "Any"

    def reached(self, *roots: Any) -> list[str]:
        """The names of all schemas that values lead to, in order."""
        reached: set[str] = set()
        waiting = [name for root in roots for name in _references(root)]
        while waiting:
            name = waiting.pop()
            if name not in reached:
                reached.add(name)
                waiting.extend(_references(self.schemas[name]))
        return sorted(name for name in reached if not is_page(self.schemas[name]))


def is_page(schema: Schema) -> bool:
    """True of a page of a list."""
    return set(schema.get("properties", ())) >= PAGE_MEMBERS


def class_name(schema_name: str) -> str:
    """The class of a schema; what differs between request and answer is in different modules."""
    return schema_name.removesuffix("-Input").removesuffix("-Output")


def python_name(name: str) -> str:
    """A name as an identifier: `from_` of `from`."""
    identifier = name.replace("-", "_").lower()
    return f"{identifier}_" if keyword.iskeyword(identifier) else identifier


@dataclass(frozen=True)
class Operation:
    """An operation of the document."""

    method: str
    path: str
    described: Mapping[str, Any]
    document: Mapping[str, Any]

    @cached_property
    def name(self) -> str:
        """The method's name."""
        identifier = str(self.described["operationId"])
        name = identifier.removeprefix(f"{self.described['tags'][0]}_")
        verbs = [verb for verb in LIST_VERBS if self.item is not None and name.startswith(verb)]
        return name.removeprefix(verbs[0]) if verbs else name

    @property
    def status(self) -> str:
        """The status of success."""
        return next(str(status) for status in self.described["responses"] if status[0] in "23")

    @cached_property
    def answer(self) -> Schema | None:
        """The schema of the JSON answer."""
        content = self.described["responses"][self.status].get("content", {})
        schema: Schema | None = content[JSON]["schema"] if JSON in content else None
        return schema

    @property
    def is_for_people(self) -> bool:
        """True of pages: neither JSON nor a download."""
        return self.answer is None and self.status == "200"

    @property
    def item(self) -> Schema | None:
        """The schema of a list's items."""
        answer = self.answer or {}
        if self.method != "get":
            return None
        if "$ref" in answer:
            schema = self.document["components"]["schemas"][answer["$ref"].rpartition("/")[2]]
            answer = schema["properties"]["items"] if is_page(schema) else {}
        item: Schema | None = answer.get("items") if answer.get("type") == "array" else None
        return item

    @property
    def starts_job(self) -> bool:
        """True where the answer is a job that has just begun or goes on."""
        answer = self.answer or {}
        if self.status != "202" or "$ref" not in answer:
            return False
        schema: Schema = self.document["components"]["schemas"][answer["$ref"].rpartition("/")[2]]
        return set(schema["properties"]) >= JOB_MEMBERS

    @property
    def results(self) -> Schema:
        """The schema of the results of the jobs that it starts."""
        head = self.path.split("/")
        for path, methods in self.document["paths"].items():
            parts = path.split("/")
            if parts[:-2] == head and parts[-1] == "results" and "get" in methods:
                operation = Operation("get", path, methods["get"], self.document)
                return operation.answer or {} if operation.item is None else {}
        return {}

    def parameters(self, location: str) -> list[Mapping[str, Any]]:
        """Parameters of a path, a query or headers."""
        return [each for each in self.described.get("parameters", ()) if each["in"] == location]

    @property
    def path_names(self) -> list[str]:
        """The parameters of the path."""
        return [part[1:-1] for part in self.path.split("/") if part.startswith("{")]

    @property
    def of_county(self) -> bool:
        """True of operations on one county."""
        return "county_id" in self.path_names

    @property
    def body(self) -> Schema | None:
        """The schema of the request's body."""
        content = self.described.get("requestBody", {}).get("content", {})
        schema: Schema | None = content[JSON]["schema"] if JSON in content else None
        return schema


def operations(document: Mapping[str, Any]) -> list[Operation]:
    """The operations that get a method. Raises ValueError where two would have the same name."""
    described = [
        Operation(method, path, methods[method], document)
        for path, methods in document["paths"].items()
        for method in METHODS
        if method in methods and methods[method]["operationId"] not in SIGN_IN
    ]
    chosen = [operation for operation in described if not operation.is_for_people]
    names: dict[tuple[bool, str], Operation] = {}
    for operation in chosen:
        other = names.setdefault((operation.of_county, operation.name), operation)
        if other is not operation:
            raise ValueError(
                f"{operation.method} {operation.path} and {other.method} {other.path} would both be {operation.name}:"
                " give one function another name"
            )
    return chosen


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "$ref" in value:
            yield str(value["$ref"]).rpartition("/")[2]
        for each in value.values():
            yield from _references(each)
    elif isinstance(value, list):
        for each in value:
            yield from _references(each)
