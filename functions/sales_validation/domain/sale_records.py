"""The records of sales validation: sales as the rules read them, and the flags that are raised."""

from dataclasses import dataclass
from typing import NamedTuple

from functions.sales_validation.schemas import Rule, SaleDecision


@dataclass(frozen=True, slots=True)
class SaleRecord:
    """A current sale as the rules read it; `day` is an ordinal, an unknown number None, an unknown text "".

    `newest_improvement` is the latest year in which anything on the property was built or renewed, `total_value` the
    property's current value (None where it is unknown, or 0);
    `changed_since_decision`: the county's record is no longer the one that a person decided on.
    """

    sale_id: str
    property_id: str
    property_class: str
    day: int
    price: float
    validity_code: str
    sale_type: str
    deed_type: str
    instrument_number: str
    parcel_count: int | None
    buyer: str
    seller: str
    newest_improvement: int | None
    total_value: float | None
    changed_since_decision: bool


class RaisedFlag(NamedTuple):
    """A rule that a sale breaks."""

    sale_id: str
    rule: Rule
    reason: str


class FlagChanges(NamedTuple):
    """Numbers of standing flags that a validation added and cleared."""

    added: int
    cleared: int


@dataclass(frozen=True)
class FlagFilter:
    """Conditions on flagged sales; None is no condition. `decided`: a person's decision holds."""

    rule: Rule | None = None
    property_id: str | None = None
    decided: bool | None = None


class StoredDecision(NamedTuple):
    """A decision and the digest of the request that made it."""

    request_digest: str
    decision: SaleDecision


class LockedSale(NamedTuple):
    """A sale under decision: its id, the county's code, and the digest of the county's record."""

    sale_id: str
    validity_code: str
    row_hash: str
