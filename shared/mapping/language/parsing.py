"""Parsing of a county's mapping: strict, and with all errors at once."""

import difflib
import re
from collections.abc import Iterable, Iterator
from functools import cache

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from shared.mapping.language.document import Document, read_document
from shared.mapping.language.errors import ElementError, MappingError, Path, unknown_name
from shared.mapping.language.model import AttributesMap, CountyMapping, FieldMap, LookupTable, TableMapping
from shared.mapping.language.semantic_checks import semantic_errors
from shared.mapping.language.wellformed import Gaps, WellFormed
from shared.mapping.language.write_back import WriteBack, WriteBackTable
from shared.mapping.rules.rule_models import VALIDATIONS
from shared.mapping.transformations import TRANSFORMATIONS
from shared.validation_messages import error_text


def parse_mapping(text: str, *, partial: bool = False) -> CountyMapping:
    """The mapping that a YAML text describes. One that is `partial` may leave required columns out but for the key: it
    changes rows that are there, and makes none.

    Raises MappingError with every error, each with its line and column: those of the document's form (unknown keys,
    wrong types, unknown transformations), and semantic ones (unknown tables and columns, missing value maps, types
    that do not go together) of all that is well-formed.
    """
    document = read_document(text)
    mapping, gaps, errors = _well_formed(document)
    if mapping is not None:
        errors += semantic_errors(mapping, gaps, partial=partial)
    diagnostics = [*document.diagnostics, *(document.diagnostic(path, message) for path, message in errors)]
    if mapping is None or diagnostics:
        raise MappingError(diagnostics)
    return mapping


MAX_PASSES = 5
"""Passes over a document at most. A collection that is too long hides the errors of its elements, and a mapping has
such collections three deep: each is shortened in one pass, and the last pass finds nothing.
"""


def _well_formed(document: Document) -> tuple[CountyMapping | None, Gaps, list[ElementError]]:
    """The well-formed part of a document (None where it is no mapping at all), its gaps, and every error of form."""
    form, unread, errors = WellFormed(document.value), sorted(document.unread, key=str), list[ElementError]()
    for _ in range(MAX_PASSES):
        mapping, invalid = _validated(form.document)
        located = list(_located(document, invalid))
        errors += [(path, _message(error)) for path, error in located]
        if (mapping is not None and not unread) or not isinstance(document.value, dict):
            return mapping, form.gaps, errors
        for path in (*unread, *(path for path, error in located if error["type"] != "too_long")):
            form.leave_out(path)
        for path, error in located:
            if error["type"] == "too_long":
                form.shorten(path, error["ctx"]["max_length"])
        unread = []
    return None, form.gaps, errors


def _validated(value: object) -> tuple[CountyMapping | None, list[ErrorDetails]]:
    try:
        return CountyMapping.model_validate(value), []
    except ValidationError as error:
        return None, error.errors(include_url=False)


def _located(document: Document, errors: Iterable[ErrorDetails]) -> Iterator[tuple[Path, ErrorDetails]]:
    """pydantic's errors with the paths of their elements, without those that another error explains."""
    reported = list(errors)
    for error in reported:
        path = _path(document, error["loc"])
        # a value that YAML's reader refused is None here, and has been reported
        refused = error["input"] is None and error["type"] != "extra_forbidden" and path in document.unread
        if not refused and not (error["type"] == "too_short" and any(_is_inside(other, error) for other in reported)):
            yield path, error


def _is_inside(inner: ErrorDetails, outer: ErrorDetails) -> bool:
    """True for an error within another: pydantic also calls a list too short whose items are wrong."""
    depth = len(outer["loc"])
    return len(inner["loc"]) > depth and inner["loc"][:depth] == outer["loc"]


def _path(document: Document, location: Path) -> Path:
    """pydantic's location without the names of union members, which the text does not have."""
    path: Path = ()
    for index, part in enumerate(location):
        last = index == len(location) - 1
        if (*path, part) in document.positions or (last and part not in TRANSFORMATIONS and part not in VALIDATIONS):
            path = (*path, part)
    return path


def _message(error: ErrorDetails) -> str:
    context = error.get("ctx", {})
    match error["type"]:
        case "extra_forbidden":
            near = difflib.get_close_matches(str(error["loc"][-1]), known_keys(), n=1)
            return f"this key is not known; did you mean {near[0]}?" if near else "this key is not known"
        case "missing":
            return "this is missing"
        case "union_tag_invalid":
            of_rule = context.get("discriminator") == "'rule'"
            noun, known = ("rule", VALIDATIONS) if of_rule else ("transformation", TRANSFORMATIONS)
            return unknown_name(noun, str(context.get("tag")), known)
        case "union_tag_not_found":
            return (
                "a rule has a `rule`" if context.get("discriminator") == "'rule'" else "a transformation has a `type`"
            )
        case "enum" | "literal_error":
            return f"{error['input']!r} is not one of: {re.sub(' or ', ', ', str(context.get('expected')))}"
        case "value_error":
            return str(context.get("error"))
        case "model_type" | "model_attributes_type" | "dict_type":
            return "here stand keys with values"
        case "tuple_type" | "list_type":
            return "here stands a list"
        case "string_type":
            return "here stands a text"
        case _:
            return error_text(error)


@cache
def known_keys() -> frozenset[str]:
    """Every key that some element of a mapping has."""
    models = (CountyMapping, TableMapping, FieldMap, AttributesMap, LookupTable, WriteBack, WriteBackTable)
    elements: tuple[type[BaseModel], ...] = (*models, *TRANSFORMATIONS.values(), *VALIDATIONS.values())
    return frozenset(info.alias or name for model in elements for name, info in model.model_fields.items())
