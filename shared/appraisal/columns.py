"""Characteristics of properties and their sales, column by column.

An unknown number is NaN, an unknown text is "". Areas are square feet, coordinates WGS 84 degrees, days proleptic
ordinals (`date.toordinal()`), prices dollars.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

import numpy as np

from shared.appraisal.arrays import BoolArray, FloatArray, IntArray, TextArray
from shared.appraisal.errors import AppraisalInputError

NUMBERS = (
    "living_area_sqft",
    "land_area_sqft",
    "year_built",
    "effective_year",
    "bedrooms",
    "bathrooms",
    "stories",
    "longitude",
    "latitude",
)
TEXTS = ("quality", "condition", "neighborhood")


@dataclass(frozen=True)
class Characteristics:
    """Characteristics of n properties; every array has shape (n,).

    `numeric` and `categorical` hold a county's own attributes (view, waterfront, garage area; wall, heating).
    """

    living_area_sqft: FloatArray
    land_area_sqft: FloatArray
    year_built: FloatArray
    effective_year: FloatArray
    bedrooms: FloatArray
    bathrooms: FloatArray
    stories: FloatArray
    longitude: FloatArray
    latitude: FloatArray
    quality: TextArray
    condition: TextArray
    neighborhood: TextArray
    numeric: Mapping[str, FloatArray] = field(default_factory=dict)
    categorical: Mapping[str, TextArray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        size = len(self)
        for name, column in self.columns():
            if column.shape != (size,):
                raise AppraisalInputError(name, f"has shape {column.shape}; {(size,)} is that of the other columns")

    def __len__(self) -> int:
        return int(self.living_area_sqft.size)

    def columns(self) -> list[tuple[str, FloatArray | TextArray]]:
        """Every column with its name, the county's own attributes last."""
        plain = [(f.name, getattr(self, f.name)) for f in fields(self) if f.name in NUMBERS + TEXTS]
        return plain + list(self.numeric.items()) + list(self.categorical.items())

    def column(self, name: str) -> FloatArray | TextArray | None:
        """One column, or one of the county's own attributes; None when there is none of that name."""
        if name in NUMBERS or name in TEXTS:
            column: FloatArray | TextArray = getattr(self, name)
            return column
        return self.numeric[name] if name in self.numeric else self.categorical.get(name)

    def take(self, rows: IntArray | BoolArray) -> Characteristics:
        """The rows at these positions (or where the mask holds)."""
        plain = {name: getattr(self, name)[rows] for name in NUMBERS + TEXTS}
        return Characteristics(
            **plain,
            numeric={name: column[rows] for name, column in self.numeric.items()},
            categorical={name: column[rows] for name, column in self.categorical.items()},
        )

    @property
    def located(self) -> BoolArray:
        """Mask of the properties whose coordinates are known."""
        return np.isfinite(self.longitude) & np.isfinite(self.latitude)


@dataclass(frozen=True)
class Sales:
    """n sales: the property as it is known, the day and the price. Shapes (n,)."""

    characteristics: Characteristics
    sale_day: IntArray
    sale_price: FloatArray

    def __post_init__(self) -> None:
        for name in ("sale_day", "sale_price"):
            if getattr(self, name).shape != (len(self.characteristics),):
                raise AppraisalInputError(name, "must have one value for each property sold")

    def __len__(self) -> int:
        return int(self.sale_day.size)

    def take(self, rows: IntArray | BoolArray) -> Sales:
        """The sales at these positions (or where the mask holds)."""
        return Sales(self.characteristics.take(rows), self.sale_day[rows], self.sale_price[rows])
