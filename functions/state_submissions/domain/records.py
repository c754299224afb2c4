"""The records of a submission and its outcome, whatever the state."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from functions.state_submissions.schemas import RefusedSale, StratumFigures
from shared.schemas import Schema


@dataclass(frozen=True)
class SaleRecord:
    """A sale of the period with its property, and the property's values of the assessment year and the year before.

    `validity` is the decision of a person where there is one (`valid` or `invalid`), or the county's code.
    """

    sale_id: str
    property_id: str
    parcel_number: str | None
    sale_date: date
    sale_price: Decimal
    instrument_number: str | None
    deed_type: str | None
    validity: str
    sale_attributes: Mapping[str, Any]
    property_class: str | None
    property_attributes: Mapping[str, Any]
    assessed_value: Decimal | None
    previous_assessed_value: Decimal | None


@dataclass(frozen=True)
class ParcelRecord:
    """A parcel of the roll."""

    property_class: str | None
    attributes: Mapping[str, Any]
    assessed_value: Decimal
    previous_assessed_value: Decimal | None


@dataclass(frozen=True)
class Table:
    """A table of the package: the name of its files, the schema of its rows, and the rows."""

    name: str
    schema: type[Schema]
    rows: Sequence[Schema]


@dataclass(frozen=True)
class Submission:
    """A submission in the form of a state; without a refused sale it can be handed in.

    `statement` is what the certificate says, `facts` and `figures` what it shows: pairs, and rows of a table below
    `figures_heading`.
    """

    sales: int
    valid: int
    invalid: int
    outliers_kept: bool
    indicated_ratio: Decimal | None
    strata: list[StratumFigures]
    parcels_outside_strata: int
    refused: list[RefusedSale]
    tables: list[Table]
    statement: str
    facts: list[tuple[str, str]]
    figures_heading: list[str]
    figures: list[list[str]]
