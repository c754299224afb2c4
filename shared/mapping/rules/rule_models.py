"""The rules that a county writes for its rows, beside the built-in ones (`builtin_rules`) that hold for every county.

A rule that is broken rejects the row, or lets it in with a warning. A rule says nothing of a NULL value, but for
`required`. Rules speak of target columns, as they are after the transformations. `VALIDATIONS` is the registry: the
mapping's form, its compilation and the documentation's table derive from it.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from shared.mapping.transformations.patterns import require_pattern

Severity = Literal["reject", "warn"]
TODAY, THIS_YEAR = "today", "this_year"
"""Bounds of ranges that move with the calendar."""
Column = Annotated[str, StringConstraints(min_length=1, max_length=128)]
Operator = Literal["<", "<=", "==", ">=", ">"]


class Rule(BaseModel):
    """A rule of a mapping."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    severity: Severity = "reject"

    @property
    def columns(self) -> tuple[str, ...]:
        """The target columns (or entries) that the rule reads; a violation is reported of the first."""
        raise NotImplementedError


class _OfField(Rule):
    field: Column

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.field,)


class Required(_OfField):
    """`field` has a value."""

    rule: Literal["required"]


class Range(_OfField):
    """`field` lies between `min` and `max`, both included; one of them may be left open. A bound is a number, a date
    (`2015-01-31`), or one of the words `today` and `this_year`. It takes the place of the platform's own range.
    """

    rule: Literal["range"]
    min: str | None = None
    max: str | None = None

    @model_validator(mode="after")
    def _bounded(self) -> "Range":
        if self.min is None and self.max is None:
            raise ValueError("give `min`, `max` or both")
        return self


class Allowed(_OfField):
    """`field` is one of `values`."""

    rule: Literal["allowed"]
    values: Annotated[tuple[str, ...], Field(min_length=1, max_length=5_000)]


FULL_MATCH = "^(?:{})$"
"""The template of a pattern that has to match the whole value."""


class Matches(_OfField):
    """`field`, whole, is of the form that the regular expression `pattern` describes. No look-around, no
    back-references.
    """

    rule: Literal["matches"]
    pattern: Annotated[str, Field(min_length=1, max_length=500)]

    @model_validator(mode="after")
    def _linear(self) -> "Matches":
        require_pattern(self.pattern, FULL_MATCH)
        return self


class Compare(_OfField):
    """`field` stands to `other`, a column too, as `operator` says (`<`, `<=`, `==`, `>=`, `>`): a building is not built
    after the roll year.
    """

    rule: Literal["compare"]
    operator: Operator
    other: Column

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.field, self.other)


class Total(_OfField):
    """`field` is the sum of `parts`, give or take `tolerance` (0.01). A NULL part counts as 0, unless all are NULL."""

    rule: Literal["total"]
    parts: Annotated[tuple[Column, ...], Field(min_length=2, max_length=20)]
    tolerance: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.01

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.field, *self.parts)


class Unique(Rule):
    """No two rows of the table have the same values in `fields`. Checked over the whole table as it would be after the
    run; the row that is in the table already stands, or else the first by key.
    """

    rule: Literal["unique"]
    fields: Annotated[
        tuple[Column, ...],
        BeforeValidator(lambda value: [value] if isinstance(value, str) else value),
        Field(min_length=1, max_length=5),
    ]

    @property
    def columns(self) -> tuple[str, ...]:
        return self.fields


class Reference(_OfField):
    """`field` is the key of a row of `table`: an improvement has its property. Checked over the whole table as it would
    be after the run.
    """

    rule: Literal["reference"]
    table: Column


Validation = Annotated[
    Required | Range | Allowed | Matches | Compare | Total | Unique | Reference, Field(discriminator="rule")
]

VALIDATIONS: dict[str, type[Rule]] = {
    "required": Required,
    "range": Range,
    "allowed": Allowed,
    "matches": Matches,
    "compare": Compare,
    "total": Total,
    "unique": Unique,
    "reference": Reference,
}
"""Every rule by the name that a mapping uses."""

TableRule = Unique | Reference
"""Rules that need the whole table."""
