"""SQL of a validation: the sales that it looks at, and the flags that it leaves."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO, TextIOWrapper
from typing import Any, NamedTuple
from uuid import UUID

from pg8000.native import literal
from sqlalchemy import Connection, select, text

from functions.sales_validation.schemas import Rule
from shared.counties.configuration import SalesValidationSettings
from shared.db.copying import copy_out_rows, ordinal_sql
from shared.db.models import County
from shared.evidence import Evidence, read_evidence


@dataclass(frozen=True, slots=True)
class SaleRecord:
    """A current sale with what the rules look at; `day` is an ordinal, an unknown number None, an unknown text "".

    `newest_improvement` is the latest year in which anything on the property was built or renewed, `total_value` the
    property's current value (None where it is unknown, or 0);
    `changed_since_decision` says that the county's record is no longer the one that a person decided on.
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


class FoundFlag(NamedTuple):
    """A rule that a sale breaks."""

    sale_id: str
    rule: Rule
    reason: str


class Changes(NamedTuple):
    """What a validation changed among the standing flags."""

    added: int
    cleared: int


def settings(connection: Connection, county_id: str) -> SalesValidationSettings:
    """The county's settings of sales validation, the usual ones where it has none."""
    stored = connection.scalar(
        select(County.configuration["plugin_settings"]["sales_validation"]).where(County.county_id == county_id)
    )
    return SalesValidationSettings.model_validate(stored or {})


def evidence(connection: Connection, county_id: str) -> Evidence:
    """The valid sales, with the properties' characteristics."""
    return read_evidence(connection, county_id)


def records(connection: Connection, county_id: str) -> list[SaleRecord]:
    """Every current sale, oldest first."""
    rows = copy_out_rows(
        connection,
        f"SELECT s.sale_id, s.property_id, p.property_class, {ordinal_sql('s.sale_date')}, s.sale_price,"  # noqa: S608
        " s.validity_code, s.sale_type, s.deed_type, s.instrument_number, s.parcel_count, s.buyer, s.seller,"
        " nullif(greatest(coalesce(p.year_built, 0), coalesce(p.effective_year, 0), coalesce(i.newest, 0)), 0),"
        " nullif(p.total_value, 0), d.row_hash <> s.row_hash FROM sales s"
        " LEFT JOIN properties_operational p"
        " ON p.county_id = s.county_id AND p.property_id = s.property_id AND p.retired_at IS NULL"
        " LEFT JOIN (SELECT property_id, max(greatest(year_built, effective_year)) AS newest FROM improvements"
        f" WHERE county_id = {literal(county_id)} AND retired_at IS NULL GROUP BY property_id) i"
        " ON i.property_id = s.property_id"
        " LEFT JOIN sale_decisions d ON d.county_id = s.county_id AND d.sale_id = s.sale_id"
        " AND d.superseded_at IS NULL AND d.decision <> 'as_coded'"
        f" WHERE s.county_id = {literal(county_id)} AND s.retired_at IS NULL ORDER BY s.sale_date, s.sale_id",
    )
    return [_record(row) for row in rows]


def _record(row: tuple[str, ...]) -> SaleRecord:
    sale_id, property_id, property_class, day, price, code, sale_type, deed_type, instrument, *rest = row
    parcels, buyer, seller, newest, total, changed = rest
    return SaleRecord(
        sale_id=sale_id,
        property_id=property_id,
        property_class=property_class,
        day=int(day),
        price=float(price),
        validity_code=code,
        sale_type=sale_type,
        deed_type=deed_type,
        instrument_number=instrument,
        parcel_count=int(parcels) if parcels else None,
        buyer=buyer,
        seller=seller,
        newest_improvement=int(newest) if newest else None,
        total_value=float(total) if total else None,
        changed_since_decision=changed == "t",
    )


def replace_flags(connection: Connection, county_id: str, validation_id: UUID, found: Iterable[FoundFlag]) -> Changes:
    """Let exactly these flags stand: others are cleared, new ones added, those that stood already stay as they are."""
    connection.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": f"sale_flags:{county_id}"}
    )
    connection.exec_driver_sql(
        "CREATE TEMPORARY TABLE found_flags (sale_id text, rule text, reason text, PRIMARY KEY (sale_id, rule))"
        " ON COMMIT DROP"
    )
    # COPY does not go into a table under row-level security, so it goes beside it
    driver: Any = connection.connection.dbapi_connection
    driver.execute_unnamed("COPY found_flags FROM STDIN (FORMAT csv)", stream=_csv(found))
    connection.exec_driver_sql("ANALYZE found_flags")
    keys = {"county_id": county_id, "validation_id": validation_id}
    cleared = connection.execute(
        text(
            "UPDATE sale_flags f SET cleared_at = now(), cleared_by = :validation_id"
            " WHERE f.county_id = :county_id AND f.cleared_at IS NULL AND NOT EXISTS (SELECT FROM found_flags n"
            " WHERE n.sale_id = f.sale_id AND n.rule = f.rule AND n.reason = f.reason)"
        ),
        keys,
    )
    added = connection.execute(
        text(
            "INSERT INTO sale_flags (county_id, sale_id, rule, validation_id, reason)"
            " SELECT :county_id, n.sale_id, n.rule, :validation_id, n.reason FROM found_flags n"
            " WHERE NOT EXISTS (SELECT FROM sale_flags f WHERE f.county_id = :county_id AND f.sale_id = n.sale_id"
            " AND f.rule = n.rule AND f.cleared_at IS NULL)"
            " ON CONFLICT (county_id, sale_id, rule, validation_id) DO UPDATE"
            " SET reason = excluded.reason, flagged_at = now(), cleared_at = NULL, cleared_by = NULL"
        ),
        keys,
    )
    return Changes(added.rowcount, cleared.rowcount)


def _csv(found: Iterable[FoundFlag]) -> BytesIO:
    stream = BytesIO()
    writer = TextIOWrapper(stream, encoding="utf-8", newline="", write_through=True)
    csv.writer(writer, lineterminator="\n").writerows(found)
    writer.detach()
    stream.seek(0)
    return stream
