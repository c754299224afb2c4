"""Breaking changes of the HTTP API: the OpenAPI document beside that of the last commit that landed.

A change breaks where a request that was taken is refused, or where an answer lacks what a client reads. New routes,
optional parameters and fields, and further values of an answer's enumeration break nothing. `python -m
infra.openapi_compatibility` exits with 1 for changes that break; a checkout without a history it reports and passes.

It is our own because the packages on PyPI for it (api-schema-diff 1.0.4, breakwatch 0.1.0 and others) are at their
first releases, and oasdiff is a program in Go.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from infra.openapi import DOCUMENT
from infra.settings import ROOT

BRANCHES = ("origin/main", "main")
"""Branches of landed commits; the first that a checkout has."""
SUCCESS = ("2", "3")

Document = Mapping[str, Any]


class NoHistoryError(LookupError):
    """A checkout that does not have the last commit that landed."""


def landed_document() -> Document:
    """The document of the last landed commit: of main, or of the commit before where main is checked out itself.

    Raises NoHistoryError.
    """
    present = _git("rev-parse", "HEAD")
    landed = next((commit for branch in BRANCHES if (commit := _git("rev-parse", "--verify", branch))), None)
    if present is None or landed is None:
        raise NoHistoryError("this checkout has no git history with a branch main")
    base = f"{landed}^" if landed == present and not _git("status", "--porcelain", "--", str(DOCUMENT)) else landed
    text = _git("show", f"{base}:{DOCUMENT.relative_to(ROOT).as_posix()}")
    if text is None:
        raise NoHistoryError(f"{base} is not in this checkout: fetch more of its history")
    document: Document = json.loads(text)
    return document


def _git(*arguments: str) -> str | None:
    try:
        ran = subprocess.run(("git", *arguments), cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603, S607
    except (OSError, subprocess.CalledProcessError):
        return None
    return ran.stdout.strip()


def breaking_changes(old: Document, new: Document) -> list[str]:
    """A sentence for each change by which a client of the old document fails; empty where there is none."""
    return list(dict.fromkeys(_Comparison(old, new).changes()))


_ANY: Document = {}
"""The schema of any value."""


@dataclass(frozen=True)
class _Values:
    """The values that a schema describes: `sent` by one side of the API, or `taken` by the other."""

    document: Document
    schema: Document

    def resolved(self) -> "_Values":
        schema = self.schema
        while "$ref" in schema:
            schema = self.document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return _Values(self.document, schema)

    def part(self, schema: Any) -> "_Values":
        return _Values(self.document, schema if isinstance(schema, dict) else _ANY).resolved()

    @property
    def variants(self) -> list["_Values"]:
        """The alternatives of a union, or the schema itself."""
        union = self.schema.get("anyOf") or self.schema.get("oneOf")
        if union:
            return [variant for part in union for variant in self.part(part).variants]
        return [self]

    @property
    def types(self) -> frozenset[str]:
        kind = self.schema.get("type")
        names = frozenset(kind) if isinstance(kind, list) else frozenset({kind} if kind else ())
        return names | {"integer"} if "number" in names else names

    @property
    def values(self) -> list[Any] | None:
        """The values of an enumeration; None where there is none."""
        if "const" in self.schema:
            return [self.schema["const"]]
        return self.schema.get("enum")


class _Comparison:
    def __init__(self, old: Document, new: Document) -> None:
        self._old = old
        self._new = new
        self._compared: dict[tuple[int, int, bool], list[str]] = {}
        """The differences of two schemas, by identity; none while they are compared, for schemas are recursive."""

    def changes(self) -> Iterator[str]:
        for path, methods in self._old["paths"].items():
            for method, operation in methods.items():
                name = f"{method.upper()} {path}"
                present = self._new["paths"].get(path, {}).get(method)
                if present is None:
                    yield f"{name} is gone"
                    continue
                yield from self._operation(name, operation, present)

    def _operation(self, name: str, old: Document, new: Document) -> Iterator[str]:
        old_ways, new_ways = old.get("security") or [{}], new.get("security") or [{}]
        if any(way not in new_ways for way in old_ways):
            yield f"{name} needs another permission: {new.get('security')} instead of {old.get('security')}"
        yield from self._parameters(name, old, new)
        yield from self._body(name, old.get("requestBody"), new.get("requestBody"))
        for status, answer in old["responses"].items():
            if not status.startswith((*SUCCESS, "default")):
                continue
            present = new["responses"].get(status)
            if present is None:
                yield f"{name} does not answer {status} any more"
                continue
            for media_type, content in answer.get("content", {}).items():
                if media_type not in present.get("content", {}):
                    if not set(content.get("schema", {"type": "any"})) - {"title"}:
                        continue  # a schema that says nothing promised nothing
                    yield f"{name} does not answer {status} as {media_type} any more"
                    continue
                was, sent = content.get("schema", {}), present["content"][media_type].get("schema", {})
                yield from self._compare(f"{name}: answer {status}", self._of_new(sent), self._of_old(was), True)

    def _parameters(self, name: str, old: Document, new: Document) -> Iterator[str]:
        before, after = (
            {(each["in"], each["name"]): each for each in operation.get("parameters", [])} for operation in (old, new)
        )
        for key, parameter in before.items():
            shown = f"{name}: {key[0]} parameter {key[1]}"
            if key not in after:
                yield f"{shown} is gone"
                continue
            sent, taken = parameter.get("schema", {}), after[key].get("schema", {})
            yield from self._compare(shown, self._of_old(sent), self._of_new(taken), False)
        for key, parameter in after.items():
            if parameter.get("required") and not before.get(key, {}).get("required"):
                yield f"{name}: {key[0]} parameter {key[1]} is required now"

    def _body(self, name: str, old: Document | None, new: Document | None) -> Iterator[str]:
        if new is None:
            if old is not None:
                yield f"{name} takes no body any more"
            return
        if new.get("required") and not (old or {}).get("required"):
            yield f"{name} requires a body now"
        for media_type, content in (old or {}).get("content", {}).items():
            if media_type not in new.get("content", {}):
                yield f"{name} does not take {media_type} any more"
                continue
            sent, taken = content.get("schema", {}), new["content"][media_type].get("schema", {})
            yield from self._compare(f"{name}: body", self._of_old(sent), self._of_new(taken), False)

    def _of_old(self, schema: Document) -> _Values:
        return _Values(self._old, schema).resolved()

    def _of_new(self, schema: Document) -> _Values:
        return _Values(self._new, schema).resolved()

    def _compare(self, where: str, sent: _Values, taken: _Values, is_answer: bool) -> Iterator[str]:
        """The values that are sent and not taken. An answer may have more fields and more enumerated values."""
        if not taken.schema:
            return
        pair = (id(sent.schema), id(taken.schema), is_answer)
        if pair not in self._compared:
            self._compared[pair] = []
            self._compared[pair] = [
                message for each in sent.variants for message in self._variant(each, taken, is_answer)
            ]
        yield from (where + message for message in self._compared[pair])

    def _variant(self, sent: _Values, taken: _Values, is_answer: bool) -> list[str]:
        """The differences of one variant from the nearest of those that are taken."""
        if not sent.schema:
            return [" is of no certain type any more" if is_answer else " is of a certain type now"]
        of_its_type = [other for other in taken.variants if sent.types & other.types] or taken.variants
        attempts = [list(self._compare_variant("", sent, other, is_answer)) for other in of_its_type]
        return min(attempts, key=len)

    def _compare_variant(self, where: str, sent: _Values, taken: _Values, is_answer: bool) -> Iterator[str]:
        strange = sent.types - taken.types if taken.types else frozenset[str]()
        if strange or (taken.types and not sent.types and sent.values is None):
            names = ", ".join(sorted(strange)) or "any value"
            yield f"{where} is {names} now" if is_answer else f"{where} does not take {names} any more"
            return
        form = sent.schema.get("format"), taken.schema.get("format")
        if form[1] is not None and form[0] != form[1]:
            yield f"{where} has the format {form[0] if is_answer else form[1]} now"
        if not is_answer:
            yield from _narrower(where, sent, taken)
        yield from self._fields(where, sent, taken, is_answer)
        for keyword, name in (("items", "[]"), ("additionalProperties", ".*")):
            inner, outer = sent.schema.get(keyword), taken.schema.get(keyword)
            if isinstance(inner, dict) and isinstance(outer, dict):
                yield from self._compare(where + name, sent.part(inner), taken.part(outer), is_answer)
        for number, (inner, outer) in enumerate(
            zip(sent.schema.get("prefixItems", ()), taken.schema.get("prefixItems", ()), strict=False)
        ):
            yield from self._compare(f"{where}[{number}]", sent.part(inner), taken.part(outer), is_answer)

    def _fields(self, where: str, sent: _Values, taken: _Values, is_answer: bool) -> Iterator[str]:
        fields, known = sent.schema.get("properties", {}), taken.schema.get("properties", {})
        for name in known if is_answer else fields:
            if name not in (fields if is_answer else known):
                yield f"{where}.{name} is gone" if is_answer else f"{where}.{name} is not taken any more"
        for name in taken.schema.get("required", ()):
            if name not in sent.schema.get("required", ()) and (name in fields or not is_answer):
                yield f"{where}.{name} may be absent now" if is_answer else f"{where}.{name} is required now"
        for name in sorted(fields.keys() & known.keys()):
            yield from self._compare(f"{where}.{name}", sent.part(fields[name]), taken.part(known[name]), is_answer)


_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")


def _narrower(where: str, sent: _Values, taken: _Values) -> Iterator[str]:
    """Limits of a request's value that are tighter than they were."""
    if taken.values is not None:
        strange = [value for value in sent.values or ["any other value"] if value not in taken.values]
        if strange:
            yield f"{where} does not take {', '.join(map(str, strange))} any more"
    for keyword in (*_UPPER, *_LOWER):
        before, after = sent.schema.get(keyword), taken.schema.get(keyword)
        tighter = after is not None and (before is None or (after < before if keyword in _UPPER else after > before))
        if tighter and sent.values is None:
            yield f"{where} has the {keyword} {after} now"
    for keyword in ("pattern", "multipleOf", "uniqueItems"):
        before, after = sent.schema.get(keyword), taken.schema.get(keyword)
        if after and after != before and sent.values is None:
            yield f"{where} has the {keyword} {after} now"


def main() -> int:
    try:
        landed = landed_document()
    except NoHistoryError as error:
        print(f"not compared with what has landed: {error}")
        return 0
    changes = breaking_changes(landed, json.loads(DOCUMENT.read_text()))
    for change in changes:
        print(change)
    return 1 if changes else 0


if __name__ == "__main__":
    sys.exit(main())
