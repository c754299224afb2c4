"""The county's roll on one day beside that on another."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Float, Numeric

from functions.properties.repository import comparison
from functions.properties.schemas.parcels import FieldChange, ParcelChange, RollComparison, RollFilter
from functions.properties.service.as_of import moment_of
from shared.db import unit_of_work
from shared.db.models import PropertyOperational
from shared.db.tenancy import require_onboarded
from shared.paging import Page, decode_token, encode_token
from shared.precedence.field_changes import changed_fields
from shared.problems import Unprocessable
from shared.rolls.totals import compare_by_class, sum_of_classes, totals_of

Day = date | datetime

_SCALES = {
    column.name: column.type.scale or 0
    for column in PropertyOperational.__table__.columns
    if isinstance(column.type, Numeric) and not isinstance(column.type, Float)
}


def compare(county_id: str, first: Day, second: Day) -> RollComparison:
    """Totals of the roll on both days, and the count of parcels that differ.

    Raises NotFound, Unprocessable for days in the wrong order or to come.
    """
    moments = _moments(first, second)
    with unit_of_work(county_id) as connection:
        require_onboarded(connection, county_id)
        before = totals_of(connection, county_id, moments.before)
        after = totals_of(connection, county_id, moments.after)
        counts = comparison.counts(connection, county_id, moments)
    return RollComparison(
        before_at=moments.before,
        after_at=moments.after,
        before=sum_of_classes(before),
        after=sum_of_classes(after),
        property_classes=compare_by_class(before, after),
        changes={change: counts.get(change, 0) for change in ("added", "changed", "removed", "returned")},
    )


def changes(
    county_id: str, first: Day, second: Day, roll_filter: RollFilter, *, page_size: int, page_token: str | None
) -> Page[ParcelChange]:
    """The parcels that differ, by id, with the fields in which they do. Raises as `compare`."""
    query = ["roll-comparison", county_id, str(first), str(second), roll_filter.model_dump()]
    last = decode_token(query, page_token, str)
    moments = _moments(first, second)
    with unit_of_work(county_id) as connection:
        require_onboarded(connection, county_id)
        rows = comparison.page(
            connection, county_id, moments, roll_filter, last=last[0] if last else None, limit=page_size + 1
        )
    items = [_shown(row) for row in rows[:page_size]]
    more = len(rows) > page_size
    return Page[ParcelChange](
        items=items, next_page_token=encode_token(query, [items[-1].property_id]) if more else None
    )


def _moments(first: Day, second: Day) -> comparison.Moments:
    moments = comparison.Moments(moment_of(first, "from"), moment_of(second, "to"))
    if moments.before >= moments.after:
        raise Unprocessable("from must lie before to.", pointer="/query/from", slug="days-in-the-wrong-order")
    return moments


def _shown(row: comparison.ChangedParcel) -> ParcelChange:
    before, after = ({name: side.get(name) for name in comparison.COMPARED} for side in (row.before, row.after))
    shown = row.after or row.before
    return ParcelChange(
        property_id=row.property_id,
        parcel_number=shown.get("parcel_number"),
        change=row.change,
        fields={
            name: FieldChange(old=_exact(name, old), new=_exact(name, new))
            for name, (old, new) in ({} if row.change == "removed" else changed_fields(before, after)).items()
        },
    )


def _exact(name: str, value: Any) -> Any:
    """A field as JSON; money and quantities as decimal text, which a JSON number is not."""
    scale = _SCALES.get(name)
    if value is None or scale is None:
        return value
    return str(Decimal(str(value)).quantize(Decimal(1).scaleb(-scale)))
