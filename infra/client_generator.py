"""The client's resources, requests and operations, generated from the OpenAPI document.

`python -m infra.openapi` writes them into infra/client/terrafusion; a test compares what is there. An operation's
method has the name of its function (its operation id without the module); a list's is the noun alone,
`properties` of `search_properties`.
"""

import keyword
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from infra.openapi_operations import Names, Operation, Schema, class_name, operations, python_name
from infra.settings import ROOT

PACKAGE = ROOT / "infra" / "client" / "terrafusion"


def resources_source(document: Mapping[str, Any], chosen: list[Operation]) -> str:
    """The module of the answers' classes."""
    names = Names(document["components"]["schemas"])
    answers = [operation.answer for operation in chosen if operation.answer]
    lines = [*_head("Objects of the API's answers."), "from terrafusion.resource import Resource", ""]
    for name in names.reached(*answers):
        schema = names.schemas[name]
        if "properties" not in schema:
            lines += [f"{class_name(name)} = {names.annotation(schema)}", ""]
            continue
        members = schema["properties"].items()
        lines += [f"class {class_name(name)}(Resource):", *_docstring(schema, name), "    __slots__ = ()"]
        lines += [f"    {python_name(member)}: {names.annotation(each)}" for member, each in members]
    return "\n".join(lines)


def requests_source(document: Mapping[str, Any], chosen: list[Operation]) -> str:
    """The module of the requests' bodies."""
    names = Names(document["components"]["schemas"], of_requests=True)
    lines = [*_head("Bodies of requests."), "from typing import NotRequired, TypedDict", ""]
    for name in names.reached(*(operation.body for operation in chosen if operation.body)):
        schema = names.schemas[name]
        if "properties" not in schema:
            lines += [f"{class_name(name)} = {names.annotation(schema)}", ""]
            continue
        members = {
            member: names.annotation(each)
            if member in schema.get("required", ())
            else f"NotRequired[{names.annotation(each)}]"
            for member, each in schema["properties"].items()
        }
        if any(keyword.iskeyword(member) for member in members):
            fields = ", ".join(f"{member!r}: {annotation!r}" for member, annotation in members.items())
            lines += [f"{class_name(name)} = TypedDict({class_name(name)!r}, {{{fields}}})", ""]
            continue
        lines += [f"class {class_name(name)}(TypedDict):", *_docstring(schema, name)]
        lines += [f"    {member}: {annotation}" for member, annotation in members.items()]
    return "\n".join(lines)


def operations_source(document: Mapping[str, Any], chosen: list[Operation], *, asynchronous: bool) -> str:
    """The module of the operations' methods, awaited or blocking."""
    prefix = "Async" if asynchronous else ""
    names = Names(document["components"]["schemas"])
    answers = {class_name(each) for each in names.reached(*(operation.answer for operation in chosen))}
    lines = [
        *_head("Operations of the API, awaited." if asynchronous else "Operations of the API."),
        f"from terrafusion.operations import {prefix}Items, {prefix}Submission, Calls, path",
        "from terrafusion.resource import Resource",
        f"from terrafusion.resources import {', '.join(sorted(answers))}",
        "from terrafusion.session import Session",
        *([] if asynchronous else ["from terrafusion.transport import completed"]),
        *("if TYPE_CHECKING:", "    from pathlib import Path", "    from terrafusion import requests"),
    ]
    for of_county, subject in ((False, "Platform"), (True, "County")):
        own = [operation for operation in chosen if operation.of_county is of_county]
        lines += [
            f"class {prefix}{subject}Operations:",
            f'    """Operations on {"one county" if of_county else "the platform"}."""',
            f"    def __init__(self, session: Session{', county_id: str' if of_county else ''}) -> None:",
            *("        self._session = session", "        self._calls = Calls(session)"),
            *(["        self.county_id = county_id"] if of_county else []),
        ]
        for operation in sorted(own, key=lambda each: each.name):
            lines += _method(operation, names, asynchronous=asynchronous)
    return "\n".join(lines) + "\n"


def _method(operation: Operation, names: Names, *, asynchronous: bool) -> list[str]:
    """The source of an operation's method."""
    keywords, options = _keywords(operation, Names(names.schemas, of_requests=True))
    own = [name for name in operation.path_names if name != "county_id"]
    arguments = ["self", *(f"{python_name(name)}: str" for name in own)]
    if operation.body is not None:
        kind = Names(names.schemas, of_requests=True, module="requests.").annotation(operation.body)
        required = operation.described["requestBody"].get("required", False)
        optional = kind if kind.endswith("| None") else f"{kind} | None"
        arguments.append(f"body: {kind}" if required else f"body: {optional} = None")
        options.append("body=body")
    if operation.status == "303":
        arguments.append("target: Path | str")
    arguments += ["*", *keywords] if keywords else []
    returns, call = _call(operation, names, options, asynchronous=asynchronous)
    definition = "async def" if asynchronous and operation.item is None else "def"
    is_object = operation.item is None and operation.status != "303" and not operation.starts_job
    typed = is_object and returns not in ("Any", "None")
    body = [f"        answer: {returns} = {call}", "        return answer"] if typed else [f"        return {call}"]
    return [
        f"    {definition} {operation.name}({', '.join(arguments)}) -> {returns}:",
        f'        """{_sentence(operation.described["summary"])}"""',
        *([f"        {call}"] if returns == "None" else body),
    ]


def _call(operation: Operation, names: Names, options: list[str], *, asynchronous: bool) -> tuple[str, str]:
    """The type that a method returns, and the expression that it returns."""
    prefix = "Async" if asynchronous else ""
    values = ["self.county_id" if name == "county_id" else python_name(name) for name in operation.path_names]
    template = "/".join("{}" if part.startswith("{") else part for part in operation.path.split("/"))
    address = f"path({', '.join([repr(template), *values])})" if values else repr(template)
    query = ", ".join(f"{each['name']!r}: {python_name(each['name'])}" for each in _query(operation))
    if operation.item is not None:
        item = names.annotation(operation.item)
        return f"{prefix}Items[{item}]", f"{prefix}Items(self._session, {item}, {address}, {{{query}}})"
    if operation.status == "303":
        return "Path", _run(f"self._calls.file({address}, target, {{{query}}})", asynchronous=asynchronous)
    returns = names.annotation(operation.answer) if operation.answer is not None else "None"
    sent = [*options, *([f"query={{{query}}}"] if query else [])]
    arguments = ", ".join([returns, repr(operation.method.upper()), address, *sent])
    call = _run(f"self._calls.resource({arguments})", asynchronous=asynchronous)
    if not operation.starts_job:
        return returns, call
    results = names.annotation(operation.results)
    return f"{prefix}Submission[{returns}, {results}]", f"{prefix}Submission(self._session, {call}, {results})"


def _keywords(operation: Operation, names: Names) -> tuple[list[str], list[str]]:
    """Arguments that are named: of the query and the headers; and how headers are passed on."""
    keywords = []
    for each in _query(operation):
        annotation = names.annotation(each["schema"])
        optional = annotation if "None" in annotation.split(" | ") else f"{annotation} | None"
        keywords.append(
            f"{python_name(each['name'])}: {annotation}"
            if each.get("required")
            else f"{python_name(each['name'])}: {optional} = None"
        )
    headers = {each["name"] for each in operation.parameters("header")}
    options = []
    if "If-Match" in headers:
        keywords.append("if_match: Resource | str")
        options.append("if_match=if_match")
    if "Idempotency-Key" in headers:
        keywords.append("idempotency_key: str | None = None")
        options.append("idempotency_key=idempotency_key")
    return keywords, options


def _query(operation: Operation) -> list[Mapping[str, Any]]:
    return [each for each in operation.parameters("query") if each["name"] != "page_token"]


def _run(call: str, *, asynchronous: bool) -> str:
    return f"await {call}" if asynchronous else f"completed({call})"


def _head(title: str) -> list[str]:
    return [
        f'"""{title} Generated by infra/client_generator.py from the OpenAPI document."""',
        "from __future__ import annotations",
        "from datetime import date, datetime",
        "from decimal import Decimal",
        "from typing import TYPE_CHECKING, Any, Literal",
    ]


def _docstring(schema: Schema, name: str) -> list[str]:
    """The first paragraph of a schema's description, as it stands there."""
    text = str(schema.get("description") or class_name(name)).partition("\n\n")[0].replace("\\", "").replace('"', "'")
    return [f'    """{_sentence(text)}"""'.replace("\n", "\n    ")]


def _sentence(text: str) -> str:
    return text if text.endswith((".", ":", ";")) else f"{text}."


def _formatted(source: str, name: str) -> str:
    """A module as the project's formatter has it, without the imports that it has no use for."""
    ruff = (sys.executable, "-m", "ruff")
    for command in (("check", "--fix", "--quiet", "--select", "F401,I"), ("format", "--quiet")):
        arguments = (*ruff, *command, "--stdin-filename", str(PACKAGE / name), "-")
        ran = subprocess.run(arguments, input=source, capture_output=True, text=True, cwd=ROOT, check=True)  # noqa: S603
        source = ran.stdout
    return source


def modules(document: Mapping[str, Any]) -> dict[str, str]:
    """The generated modules, by file name."""
    chosen = operations(document)
    sources = {
        "resources.py": resources_source(document, chosen),
        "requests.py": requests_source(document, chosen),
        "sync_api.py": operations_source(document, chosen, asynchronous=False),
        "async_api.py": operations_source(document, chosen, asynchronous=True),
    }
    return {name: _formatted(source, name) for name, source in sources.items()}


def write(document: Mapping[str, Any]) -> None:
    """Write the generated modules anew."""
    for file_name, text in modules(document).items():
        (PACKAGE / file_name).write_text(text)
