"""The index of situs addresses: brought up to date after a sync, and by whoever edits a property."""

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, Row, text

from shared.db import unit_of_work
from shared.db.copying import copy_in
from shared.situs.addresses import read_address

BATCH_SIZE = 20_000
"""Properties of a transaction. A choice: some megabytes, and less than a second."""
_COLUMNS = ("property_id", "version", "street", "number", "unit", "city", "zip")
_SELECT = (
    "SELECT p.property_id, p.version, p.situs_address, p.situs_number, p.situs_prefix, p.situs_street, p.situs_suffix,"
    " p.situs_unit, p.situs_city, p.situs_state, p.situs_zip FROM properties_operational p"
)
_STALE = (
    f"{_SELECT} LEFT JOIN situs_addresses a ON a.county_id = p.county_id AND a.property_id = p.property_id"
    " WHERE p.county_id = :county AND p.retired_at IS NULL AND p.property_id > :after"
    " AND a.version IS DISTINCT FROM p.version ORDER BY p.property_id LIMIT :limit"
)
_PUT = (
    "INSERT INTO situs_addresses (county_id, property_id, version, street, number, unit, city, zip)"
    " SELECT :county, property_id, version, coalesce(street, ''), coalesce(number, ''), coalesce(unit, ''),"
    " coalesce(city, ''), coalesce(zip, '') FROM incoming_addresses ORDER BY property_id"
    " ON CONFLICT (county_id, property_id) DO UPDATE SET version = excluded.version, street = excluded.street,"
    " number = excluded.number, unit = excluded.unit, city = excluded.city, zip = excluded.zip"
    " WHERE situs_addresses.version < excluded.version"
)
_PUT_STREETS = (
    "INSERT INTO situs_streets (county_id, street, city) SELECT DISTINCT :county, street, coalesce(city, '')"
    " FROM incoming_addresses WHERE street <> '' ORDER BY 2, 3 ON CONFLICT DO NOTHING"
)
_DROP_RETIRED = (
    "DELETE FROM situs_addresses a WHERE a.county_id = :county AND NOT EXISTS (SELECT 1 FROM properties_operational p"
    " WHERE p.county_id = a.county_id AND p.property_id = a.property_id AND p.retired_at IS NULL)"
)
_DROP_STREETS = (
    "DELETE FROM situs_streets s WHERE s.county_id = :county AND NOT EXISTS (SELECT 1 FROM situs_addresses a"
    " WHERE a.county_id = s.county_id AND a.street = s.street AND a.city = s.city)"
)
_SAY_REFRESHED = (
    "INSERT INTO situs_indexes (county_id, addresses)"
    " SELECT :county, count(*) FROM situs_addresses WHERE county_id = :county"
    " ON CONFLICT (county_id) DO UPDATE SET addresses = excluded.addresses, refreshed_at = now() RETURNING addresses"
)


def refresh(county_id: str) -> int:
    """Index every property whose version is not the indexed one, in transactions of a batch; the number of addresses.

    Idempotent; whatever an earlier call has done is not done again.
    """
    after = ""
    while (after_batch := _index_batch(county_id, after)) is not None:
        after = after_batch
    with unit_of_work(county_id) as connection:
        county = {"county": county_id}
        # whole tables are compared, which have no statistics yet after a first load
        connection.exec_driver_sql("SET LOCAL enable_nestloop = off")
        connection.execute(text(_DROP_RETIRED), county)
        connection.execute(text(_DROP_STREETS), county)
        return int(connection.execute(text(_SAY_REFRESHED), county).scalar_one())


def put(connection: Connection, county_id: str, property_id: str) -> None:
    """Index one property as the transaction sees it, where its county is indexed."""
    if connection.scalar(text("SELECT 1 FROM situs_indexes WHERE county_id = :county"), {"county": county_id}) is None:
        return
    one = text(f"{_SELECT} WHERE p.county_id = :county AND p.property_id = :property_id")
    _write(connection, county_id, connection.execute(one, {"county": county_id, "property_id": property_id}).all())


def _index_batch(county_id: str, after: str) -> str | None:
    """Index the next batch of properties; the id of its last one, None where there is none."""
    with unit_of_work(county_id) as connection:
        rows = connection.execute(text(_STALE), {"county": county_id, "after": after, "limit": BATCH_SIZE}).all()
        if not rows:
            return None
        _write(connection, county_id, rows)
        return str(rows[-1].property_id)


def _write(connection: Connection, county_id: str, rows: Sequence[Row[tuple[object, ...]]]) -> None:
    # the name stays for the transaction: an edit of several properties comes here several times
    connection.exec_driver_sql(
        "CREATE TEMP TABLE IF NOT EXISTS incoming_addresses (property_id text, version integer, street text,"
        " number text, unit text, city text, zip text) ON COMMIT DROP"
    )
    connection.exec_driver_sql("TRUNCATE incoming_addresses")
    copy_in(connection, "incoming_addresses", _COLUMNS, _indexed(rows))
    connection.execute(text(_PUT), {"county": county_id})
    connection.execute(text(_PUT_STREETS), {"county": county_id})


def _indexed(rows: Sequence[Row[tuple[object, ...]]]) -> Iterator[tuple[object, ...]]:
    for row in rows:
        parts = (row.situs_number, row.situs_prefix, row.situs_street, row.situs_suffix)
        written = row.situs_address or " ".join(part for part in parts if part)
        address = read_address(written, row.situs_city, row.situs_zip, (row.situs_state or "").strip().upper())
        unit = (row.situs_unit or "").strip().upper() or address.unit
        yield (row.property_id, row.version, address.street, address.number, unit, address.city, address.zip)
