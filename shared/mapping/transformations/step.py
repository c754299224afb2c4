"""What every transformation is: parameters, the kinds of columns it takes and gives, and an expression."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    import polars as pl

ValueMaps = Mapping[str, Mapping[str, str | None]]


class Kind(StrEnum):
    """What a column holds between two transformations."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    TIMESTAMP = "timestamp"


TEXT = frozenset({Kind.TEXT})
NUMERIC = frozenset({Kind.TEXT, Kind.NUMBER})


@dataclass(frozen=True)
class References:
    """What transformations refer to: the mapping's value maps and the rows of its lookups (see `lookups`) by name, and
    the county's time zone.
    """

    value_maps: ValueMaps
    lookups: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    timezone: str = "UTC"


class Step(BaseModel):
    """A transformation. `accepts` and `returns` are checked when a mapping is read; `joins` takes several sources, at
    least `least` and at most `most`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    accepts: ClassVar[frozenset[Kind]] = TEXT
    returns: ClassVar[Kind] = Kind.TEXT
    joins: ClassVar[bool] = False
    starts: ClassVar[bool] = False
    least: ClassVar[int] = 1
    most: ClassVar[int] = 20

    @property
    def calculates(self) -> bool:
        """Whether the inputs are to be numbers: texts are read as such first, and one that is none rejects the row."""
        return Kind.NUMBER in self.accepts

    @property
    def complaint(self) -> str:
        """What is said of a value that it cannot work on."""
        return f"cannot be read by {getattr(self, 'type', '')}"

    def expression(self, inputs: Sequence[pl.Expr], references: References) -> pl.Expr:
        """The column that results from the inputs (one, unless `joins`)."""
        raise NotImplementedError

    def fault(self, inputs: Sequence[pl.Expr], result: pl.Expr, references: References) -> pl.Expr | None:  # noqa: ARG002
        """True where an input could not be read and the row has to be rejected; None where that cannot be."""
        return None


def is_written(text: pl.Expr) -> pl.Expr:
    """Whether a text has something to read: neither NULL nor blank."""
    return (text.str.strip_chars() != "").fill_null(value=False)


def is_unread(text: pl.Expr, result: pl.Expr) -> pl.Expr:
    """Whether there was something to read and nothing came of it."""
    return is_written(text) & result.is_null()
