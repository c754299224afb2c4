"""Requests and answers of submissions to a state."""

from datetime import date
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from shared.jobs.download import StoredFile
from shared.schemas import RequestSchema, Schema


class StateSubmissionRequest(RequestSchema):
    """The assessment year whose sales study is submitted."""

    assessment_year: Annotated[int, Field(ge=1950, le=2200)]


class RefusedSale(Schema):
    """A sale that cannot be submitted as it stands, with each reason."""

    sale_id: str
    property_id: str
    sale_date: date
    reasons: list[str]


class StratumFigures(Schema):
    """The figures of a stratum, and the sales that they are made of."""

    stratum: str
    sales: int
    assessed_value: Decimal
    adjusted_price: Decimal
    ratio: Decimal | None
    sale_ids: list[str]


class PackageFile(Schema):
    """A file of the package."""

    name: str
    size_bytes: int
    sha256: str


class StateSubmissionResults(Schema):
    """Results of a submission. While a sale is `refused` there is no package: the study would not be complete.

    `sales` are all of the period: `valid` and `invalid` ones, and the refused. `outliers_kept` says that sales outside
    the limits of ratios stayed, because there are too many of them to leave them out.
    """

    state: str
    assessment_year: int
    period_from: date
    period_to: date
    sales: int
    valid: int
    invalid: int
    outliers_kept: bool
    indicated_ratio: Decimal | None
    strata: list[StratumFigures]
    parcels_outside_strata: int
    refused: list[RefusedSale]
    files: tuple[PackageFile, ...] = ()
    file: StoredFile | None = None
