"""A block of features, ready to be written, and what a file that takes them looks like."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from functions.gis_export.domain.layers import Column, Layer
from functions.gis_export.domain.shapes import Shapes


@dataclass(frozen=True)
class ColumnValues:
    """A column of a block; `missing` marks the values that are null where the array cannot say so itself."""

    column: Column
    values: NDArray[Any]
    missing: NDArray[np.bool_] | None

    def where(self, mask: NDArray[np.bool_]) -> "ColumnValues":
        """The rows that are kept."""
        missing = None if self.missing is None else self.missing[mask]
        return ColumnValues(self.column, self.values[mask], missing)


@dataclass(frozen=True)
class Features:
    """Features of one layer; none of the shapes is None."""

    shapes: Shapes
    columns: list[ColumnValues]


Add = Callable[[Features], None]


class FeatureFile(Protocol):
    """A file that takes layers, one after another, each in as many blocks as it comes in."""

    path: Path
    content_type: str

    def layer(self, layer: Layer, geometry_type: str) -> AbstractContextManager[Add]:
        """Begin a layer; what is yielded adds features to it."""

    def close(self) -> None:
        """Finish the file."""
