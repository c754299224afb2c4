"""Read a county's mapping: strict, and with every fault at once."""

import re
from collections.abc import Iterable

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from shared.mapping.checks import faults
from shared.mapping.document import Document, Path, read_document
from shared.mapping.model import CountyMapping
from shared.mapping.problems import MappingError
from shared.mapping.transformations import TRANSFORMATIONS


def parse_mapping(text: str) -> CountyMapping:
    """The mapping that a YAML text describes.

    Raises MappingError with every fault, each with its line and column. Faults of the document's form (unknown
    keys, wrong types, unknown transformations) are told first; where there are none, faults of sense (unknown
    tables and columns, missing value maps, types that do not go together) are.
    """
    document = read_document(text)
    problems = list(document.problems)
    try:
        mapping = CountyMapping.model_validate(document.value)
    except ValidationError as error:
        problems += [document.problem(*located) for located in _located(document, error.errors(include_url=False))]
        raise MappingError(problems) from None
    problems += [document.problem(path, message) for path, message in faults(mapping)]
    if problems:
        raise MappingError(problems)
    return mapping


def _located(document: Document, errors: Iterable[ErrorDetails]) -> Iterable[tuple[Path, str]]:
    found = list(errors)
    for error in found:
        if not (error["type"] == "too_short" and any(_is_inside(other, error) for other in found)):
            yield _path(document, error["loc"]), _message(error)


def _is_inside(inner: ErrorDetails, outer: ErrorDetails) -> bool:
    """pydantic calls a list too short whose items are the ones at fault."""
    depth = len(outer["loc"])
    return len(inner["loc"]) > depth and inner["loc"][:depth] == outer["loc"]


def _path(document: Document, location: Path) -> Path:
    """pydantic's location without the names of union members, which the text does not have."""
    path: Path = ()
    for index, part in enumerate(location):
        last = index == len(location) - 1
        if (*path, part) in document.places or (last and part not in TRANSFORMATIONS):
            path = (*path, part)
    return path


def _message(error: ErrorDetails) -> str:
    context = error.get("ctx", {})
    match error["type"]:
        case "extra_forbidden":
            return "this key is not known"
        case "missing":
            return "this is missing"
        case "union_tag_invalid":
            known = ", ".join(TRANSFORMATIONS)
            return f"there is no transformation {context.get('tag')!r}; there are: {known}"
        case "union_tag_not_found":
            return "a transformation has a `type`"
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
            return error["msg"]
