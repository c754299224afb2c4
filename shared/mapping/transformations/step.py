"""The base of every transformation: parameters, the kinds of values that it takes and returns, and an expression."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    import polars as pl

ValueMaps = Mapping[str, Mapping[str, str | None]]


class ValueKind(StrEnum):
    """The kind of values between two transformations."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    TIMESTAMP = "timestamp"


TEXT = frozenset({ValueKind.TEXT})
NUMERIC = frozenset({ValueKind.TEXT, ValueKind.NUMBER})


@dataclass(frozen=True)
class References:
    """The context of transformations: value maps and the rows of lookups (see `compile.lookups`), by name, and the
    county's time zone.
    """

    value_maps: ValueMaps
    lookups: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    timezone: str = "UTC"


class Step(BaseModel):
    """A transformation. `accepts` and `returns` are checked when a mapping is parsed. A `variadic` one takes several
    sources, from `min_sources` to `max_sources`; one that `generates` needs none.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    accepts: ClassVar[frozenset[ValueKind]] = TEXT
    returns: ClassVar[ValueKind] = ValueKind.TEXT
    variadic: ClassVar[bool] = False
    generates: ClassVar[bool] = False
    min_sources: ClassVar[int] = 1
    max_sources: ClassVar[int] = 20

    @property
    def reads_numbers(self) -> bool:
        """True for one that takes numbers: texts are read as such first, and one that is no number rejects the row."""
        return ValueKind.NUMBER in self.accepts

    @property
    def failure_message(self) -> str:
        """The message for a value that it cannot transform, to follow the value."""
        return f"cannot be read by {getattr(self, 'type', '')}"

    def expression(self, inputs: Sequence[pl.Expr], references: References) -> pl.Expr:
        """The result as an expression of the inputs (one, unless `variadic`)."""
        raise NotImplementedError

    def failed(self, inputs: Sequence[pl.Expr], result: pl.Expr, references: References) -> pl.Expr | None:  # noqa: ARG002
        """True where an input cannot be transformed, which rejects the row; None where every value can."""
        return None


def is_not_blank(text: pl.Expr) -> pl.Expr:
    """True for a text that is neither NULL nor blank."""
    return (text.str.strip_chars() != "").fill_null(value=False)


def is_unparsed(text: pl.Expr, result: pl.Expr) -> pl.Expr:
    """True for a text that is not blank and has no result."""
    return is_not_blank(text) & result.is_null()
