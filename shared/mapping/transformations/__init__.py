"""The transformations of the mapping language: one class each, with its parameters, its rules and its meaning.

`TRANSFORMATIONS` is the registry: validation, compilation and the documentation's table derive from it. A
transformation works on whole columns through Polars expressions; nothing a mapping says is evaluated as code.
NULL stays NULL unless a transformation says otherwise. Polars is imported when an expression is built, so
that a mapping can be checked where Polars is not installed.
"""

from typing import Annotated

from pydantic import Field

from shared.mapping.transformations.codes import Lookup, ParseBoolean, ValueMap
from shared.mapping.transformations.joining import Coalesce, Concat, Constant
from shared.mapping.transformations.numbers import Add, Divide, Multiply, ParseNumber, Scale, Subtract
from shared.mapping.transformations.shapes import ParseWkt, PointShape
from shared.mapping.transformations.step import Step
from shared.mapping.transformations.text import (
    NullIf,
    PadLeft,
    PadRight,
    RegexExtract,
    Replace,
    Split,
    StripWhitespace,
    Substring,
    ToLower,
    ToUpper,
)
from shared.mapping.transformations.times import ParseDate, ParseTimestamp

Transformation = Annotated[
    StripWhitespace
    | ToUpper
    | ToLower
    | PadLeft
    | PadRight
    | Replace
    | Substring
    | Split
    | RegexExtract
    | NullIf
    | ParseNumber
    | ParseDate
    | ParseTimestamp
    | ParseBoolean
    | ValueMap
    | Lookup
    | Concat
    | Coalesce
    | Scale
    | Add
    | Subtract
    | Multiply
    | Divide
    | ParseWkt
    | PointShape
    | Constant,
    Field(discriminator="type"),
]

_CLASSES: tuple[type[Step], ...] = (
    StripWhitespace, ToUpper, ToLower, PadLeft, PadRight, Replace, Substring, Split, RegexExtract, NullIf,
    ParseNumber, ParseDate, ParseTimestamp, ParseBoolean, ValueMap, Lookup, Concat, Coalesce, Scale, Add,
    Subtract, Multiply, Divide, ParseWkt, PointShape, Constant,
)  # fmt: skip

TRANSFORMATIONS: dict[str, type[Step]] = {
    cls.model_fields["type"].annotation.__args__[0]: cls  # type: ignore[union-attr]  # each `type` is a Literal
    for cls in _CLASSES
}
"""Every transformation by the name that a mapping uses."""

__all__ = [
    "TRANSFORMATIONS",
    "Add",
    "Constant",
    "Lookup",
    "ParseDate",
    "ParseTimestamp",
    "Transformation",
    "ValueMap",
]
