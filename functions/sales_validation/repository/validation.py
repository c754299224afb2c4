"""SQL of a validation: the sales that it reads, and the flags that it sets."""

import csv
from collections.abc import Iterable
from io import BytesIO, TextIOWrapper
from typing import Any
from uuid import UUID

from pg8000.native import literal
from sqlalchemy import Connection, select, text

from functions.sales_validation.domain.sale_records import FlagChanges, RaisedFlag, SaleRecord
from shared.counties.configuration import SalesValidationSettings
from shared.db.copying import copy_out_rows, ordinal_sql
from shared.db.models import County
from shared.evidence import Evidence, read_evidence


def settings(connection: Connection, county_id: str) -> SalesValidationSettings:
    """The county's settings of sales validation, the defaults where it has none."""
    stored = connection.scalar(
        select(County.configuration["plugin_settings"]["sales_validation"]).where(County.county_id == county_id)
    )
    return SalesValidationSettings.model_validate(stored or {})


def evidence(connection: Connection, county_id: str) -> Evidence:
    """The valid sales, with the properties' characteristics."""
    return read_evidence(connection, county_id)


def sale_records(connection: Connection, county_id: str) -> list[SaleRecord]:
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


def replace_flags(
    connection: Connection, county_id: str, validation_id: UUID, flags: Iterable[RaisedFlag]
) -> FlagChanges:
    """Make these the standing flags: clear others, add new ones, and leave those that stand already as they are."""
    connection.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": f"sale_flags:{county_id}"}
    )
    connection.exec_driver_sql(
        "CREATE TEMPORARY TABLE raised_flags (sale_id text, rule text, reason text, PRIMARY KEY (sale_id, rule))"
        " ON COMMIT DROP"
    )
    # COPY does not go into a table under row-level security, so it goes beside it
    driver: Any = connection.connection.dbapi_connection
    driver.execute_unnamed("COPY raised_flags FROM STDIN (FORMAT csv)", stream=_csv(flags))
    connection.exec_driver_sql("ANALYZE raised_flags")
    keys = {"county_id": county_id, "validation_id": validation_id}
    cleared = connection.execute(
        text(
            "UPDATE sale_flags f SET cleared_at = now(), cleared_by = :validation_id"
            " WHERE f.county_id = :county_id AND f.cleared_at IS NULL AND NOT EXISTS (SELECT FROM raised_flags n"
            " WHERE n.sale_id = f.sale_id AND n.rule = f.rule AND n.reason = f.reason)"
        ),
        keys,
    )
    added = connection.execute(
        text(
            "INSERT INTO sale_flags (county_id, sale_id, rule, validation_id, reason)"
            " SELECT :county_id, n.sale_id, n.rule, :validation_id, n.reason FROM raised_flags n"
            " WHERE NOT EXISTS (SELECT FROM sale_flags f WHERE f.county_id = :county_id AND f.sale_id = n.sale_id"
            " AND f.rule = n.rule AND f.cleared_at IS NULL)"
            " ON CONFLICT (county_id, sale_id, rule, validation_id) DO UPDATE"
            " SET reason = excluded.reason, flagged_at = now(), cleared_at = NULL, cleared_by = NULL"
        ),
        keys,
    )
    return FlagChanges(added.rowcount, cleared.rowcount)


def _csv(flags: Iterable[RaisedFlag]) -> BytesIO:
    stream = BytesIO()
    writer = TextIOWrapper(stream, encoding="utf-8", newline="", write_through=True)
    csv.writer(writer, lineterminator="\n").writerows(flags)
    writer.detach()
    stream.seek(0)
    return stream
