"""The reports of WAC 458-53-100: the columns of each."""

from datetime import date
from decimal import Decimal

from shared.schemas import Schema


class ValidSale(Schema):
    """A row of the report of valid sales: the ten columns of WAC 458-53-100(2), (a) to (j). `ratio` is in percent."""

    excise_tax_affidavit_number: str
    transfer_instrument: str
    parcel_number: str
    sale_date: date
    sale_price: Decimal
    sale_price_less_one_percent: Decimal
    land_use_code: str
    assessed_value: Decimal
    previous_assessed_value: Decimal
    ratio: Decimal


class InvalidSale(Schema):
    """A row of the report of invalid sales (WAC 458-53-100(4)), with the number of its reason (-080(2))."""

    excise_tax_affidavit_number: str
    transfer_instrument: str
    parcel_number: str
    sale_date: date
    sale_price: Decimal
    reason_number: int
    comment: str


class StratumSummary(Schema):
    """A row of the summary of valid sales by land use and value (WAC 458-53-100(3), (a) to (e)), with its ratio.

    `ratio` is the average assessed value over the average adjusted price, in percent; none without sales.
    """

    stratum: str
    number_of_sales: int
    assessed_value: Decimal
    adjusted_sale_price: Decimal
    average_assessed_value: Decimal | None
    average_adjusted_sale_price: Decimal | None
    ratio: Decimal | None


class StratumAbstract(Schema):
    """A row of the abstract of the roll: parcels and value of a stratum (WAC 458-53-030(2)), this year and last."""

    stratum: str
    number_of_parcels: int
    assessed_value: Decimal
    previous_assessed_value: Decimal


class TracedSale(Schema):
    """The place of a sale in the package: its report, and its stratum where it counts in one."""

    sale_id: str
    property_id: str
    excise_tax_affidavit_number: str
    report: str
    stratum: str | None
    reason_number: int | None
