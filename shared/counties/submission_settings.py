"""Settings of a county's submissions to its state."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from shared.schemas import RequestSchema

_Code = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
_Reason = Annotated[int, Field(ge=1, le=99)]
_Attribute = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]


class WashingtonStratum(RequestSchema):
    """A stratum that the department of revenue has set: land use codes, and assessed values from `min_value` to
    `max_value`, both included; without `max_value` there is no upper limit.
    """

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
    land_use_codes: Annotated[tuple[_Code, ...], Field(min_length=1, max_length=200)]
    min_value: Annotated[Decimal, Field(ge=0)] = Decimal(0)
    max_value: Annotated[Decimal, Field(ge=0)] | None = None


class WashingtonSettings(RequestSchema):
    """The county generated sales study of Washington (WAC 458-53-100), in the county's own codes.

    `strata` are those that the department has set for the county (WAC 458-53-030(3)). A property's land use code is its
    attribute `land_use_attribute`, or without that its class; parcels of `excluded_land_uses` (forest land, state
    assessed and kin, WAC 458-53-030(2)) are in no abstract. A sale's affidavit number is its attribute
    `affidavit_attribute`, or without that its instrument number. `instruments` are the county's codes of warranty
    deeds and real estate contracts; `instrument_reasons` are the numbers of the reason for which a sale by another one
    is invalid. The number of the reason of an invalid sale is its attribute `reason_attribute`, or that of its
    validity code in `reasons` (WAC 458-53-080(2); a county may have numbers of its own).
    """

    state: Literal["washington"]
    strata: Annotated[tuple[WashingtonStratum, ...], Field(min_length=1, max_length=200)]
    land_use_attribute: _Attribute | None = None
    excluded_land_uses: tuple[_Code, ...] = ()
    affidavit_attribute: _Attribute | None = None
    instruments: Annotated[tuple[_Code, ...], Field(min_length=1, max_length=50)]
    instrument_reasons: Annotated[dict[_Code, _Reason], Field(max_length=200)] = Field(default_factory=dict)
    reason_attribute: _Attribute | None = None
    reasons: Annotated[dict[_Code, _Reason], Field(max_length=100)] = Field(default_factory=dict)
