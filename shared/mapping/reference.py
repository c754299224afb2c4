"""Reference pages in Markdown, derived from registries and models."""

from collections.abc import Iterable
from decimal import Decimal
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from shared.access import Permission, Role
from shared.mapping.language.model import AttributesMap, CountyMapping, FieldMap, LookupTable, TableMapping
from shared.mapping.language.semantic_checks import FIELD_TYPES
from shared.mapping.language.write_back import Position, WriteBack, WriteBackColumn, WriteBackTable
from shared.mapping.rules.rule_models import VALIDATIONS
from shared.mapping.targets import target_tables
from shared.mapping.transformations import TRANSFORMATIONS
from shared.mapping.transformations.step import Step

_WORDS: dict[object, str] = {
    str: "text",
    bool: "`true` or `false`",
    int: "a whole number",
    float: "a number",
    Decimal: "a number",
    Permission: "permissions",
    Role: "a role",
}


def transformations_table() -> str:
    """A Markdown table of every transformation: name, parameters with their defaults, meaning."""
    rows = ["| transformation | parameters | what it does |", "|---|---|---|"]
    for name, step in TRANSFORMATIONS.items():
        rows.append(f"| `{name}` | {parameters(step, 'type')} | {meaning(step)} |")
    return "\n".join(rows)


def validations_table() -> str:
    """A Markdown table of every rule: name, parameters with their defaults, meaning."""
    rows = ["| rule | parameters | what has to hold |", "|---|---|---|"]
    for name, rule in VALIDATIONS.items():
        rows.append(f"| `{name}` | {parameters(rule, 'rule', 'severity')} | {meaning(rule)} |")
    return "\n".join(rows)


MAPPING_ELEMENTS = (
    CountyMapping,
    TableMapping,
    FieldMap,
    AttributesMap,
    LookupTable,
    WriteBack,
    WriteBackTable,
    WriteBackColumn,
    Position,
)


def members_tables(elements: Iterable[type[BaseModel]]) -> str:
    """Markdown of the elements of a document: the meaning of each, and a table of its members."""
    parts = []
    for element in elements:
        parts += [f"### {element.__name__}", "", " ".join((element.__doc__ or "").split()), ""]
        parts += ["| member | required | takes |", "|---|---|---|"]
        for name, info in element.model_fields.items():
            required = "yes" if info.is_required() else f"no ({_default(info)})"
            parts.append(f"| `{info.alias or name}` | {required} | {_takes(info)} |")
        parts.append("")
    return "\n".join(parts).rstrip()


def targets_table() -> str:
    """A Markdown table of every column that a mapping can fill."""
    rows = ["| table | column | holds | field's `type` | |", "|---|---|---|---|---|"]
    for table in target_tables().values():
        for column in table.columns.values():
            note = "the key" if column.name == table.key else "required" if column.required else ""
            types = ", ".join(f"`{name}`" for name in sorted(FIELD_TYPES[column.kind]))
            rows.append(f"| `{table.name}` | `{column.name}` | {column.kind.value} | {types} | {note} |")
    return "\n".join(rows)


def _default(info: FieldInfo) -> str:
    match info.get_default(call_default_factory=True, validated_data={}):
        case BaseModel() as value if value == type(value).model_construct():
            return "its defaults"
        case Decimal() as value:
            return f"{value}"
        case tuple() as values if values:
            return ", ".join(map(str, values))
        case value:
            return repr(value) if value else "none"


def _takes(info: FieldInfo) -> str:
    """The type of a member in words, with its limits."""
    limits = [
        f"{words} {getattr(limit, name)}"
        for limit in info.metadata
        for name, words in _LIMITS.items()
        if hasattr(limit, name)
    ]
    return ", ".join([_type_words(info.annotation), *limits])


_LIMITS = {"gt": "above", "ge": "from", "lt": "below", "le": "to"}


def _type_words(annotation: object) -> str:
    if isinstance(annotation, type) and annotation in _WORDS:
        return _WORDS[annotation]
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in inner)
    if origin in (tuple, frozenset):
        return "a list of " + _type_words(inner[0])
    if origin is dict:
        return f"an object: {_type_words(inner[0])} to {_type_words(inner[1])}"
    if origin is Annotated:
        return _type_words(inner[0])
    if origin in (Union, UnionType):
        return " or ".join(dict.fromkeys(_type_words(each) for each in inner if each is not NoneType))
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return ", ".join(f"`{member.value}`" for member in annotation)
    if isinstance(annotation, type) and issubclass(annotation, Step):
        return "transformations"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "rules" if annotation in VALIDATIONS.values() else f"{annotation.__name__}"
    return str(annotation)


def parameters(step: type[BaseModel], *without: str) -> str:
    """The parameters of an element, with their defaults; without those of these names."""
    fields = ((name, info) for name, info in step.model_fields.items() if name not in without)
    return ", ".join(_parameter(name, info) for name, info in fields) or "none"


def _parameter(name: str, info: FieldInfo) -> str:
    if info.is_required():
        return f"`{name}`"
    return f"`{name}` ({'optional' if info.default is None else repr(info.default)})"


def meaning(step: type[BaseModel]) -> str:
    """The docstring of an element on one line."""
    return " ".join((step.__doc__ or "").split()).replace("|", "\\|")
