"""SQL of a roll's rows as they were after a supplement: those of now, with later supplements undone by the history."""
# ruff: noqa: S608 - names of ours, literals and numbers: COPY takes no parameters

from pg8000.native import literal
from sqlalchemy import Connection, text

from functions.roll.domain.manifest import row_lines
from functions.roll.schemas.certificates import CertifiedTotals
from shared.db.copying import copy_out
from shared.db.models import SYNC_TARGETS, history_table, key_column
from shared.rolls.closing import ROLL_TABLES

_CONTENT = {
    "assessments": (
        *("assessment_id", "property_id", "roll_year", "property_class", "land_value", "improvement_value"),
        *("total_value", "assessed_value", "attributes"),
    ),
    "exemptions": ("exemption_id", "property_id", "roll_year", "exemption_type", "amount", "attributes"),
}
"""The columns of a row's content. Digests stand on their bytes: a column that is added later gets no place in them."""


def lines_after(connection: Connection, county_id: str, roll_year: int, correction_no: int) -> list[bytes]:
    """Manifest lines of all rows that were on the roll after a supplement."""
    lines = []
    for table in ROLL_TABLES:
        key = key_column(SYNC_TARGETS[table])
        state = _state(county_id, roll_year, table, correction_no)
        copied, _ = copy_out(
            connection.connection.dbapi_connection,
            f'COPY (SELECT to_json({key}), {_content(table)} FROM ({state}) AS s ORDER BY s.{key} COLLATE "C")'
            " TO STDOUT",
        )
        lines += row_lines(table, copied)
    return lines


def lines_of(connection: Connection, county_id: str, roll_year: int, correction_no: int) -> list[bytes]:
    """Manifest lines of the rows that a supplement changed."""
    return [
        line
        for table in ROLL_TABLES
        for line in row_lines(table, _changed_rows(connection, county_id, roll_year, table, correction_no))
    ]


def totals_after(connection: Connection, county_id: str, roll_year: int, correction_no: int) -> CertifiedTotals:
    """The total of the roll after a supplement."""
    assessments, exemptions = (_state(county_id, roll_year, table, correction_no) for table in ROLL_TABLES)
    sums = ", ".join(
        f"coalesce(sum({name}), 0) AS {name}"
        for name in ("land_value", "improvement_value", "total_value", "assessed_value")
    )
    row = connection.execute(
        text(
            f"SELECT * FROM (SELECT count(*) AS assessments, {sums} FROM ({_plain(assessments)}) AS a) AS a"
            " CROSS JOIN (SELECT count(*) AS exemptions, coalesce(sum(amount), 0) AS exempt_amount"
            f" FROM ({_plain(exemptions)}) AS e) AS e"
        )
    ).one()
    return CertifiedTotals(**row._mapping)


def _state(county_id: str, roll_year: int, table: str, correction_no: int) -> str:
    """SQL of the content of the rows after a supplement."""
    model = SYNC_TARGETS[table]
    key, history = key_column(model), history_table(model).name
    county, columns = literal(county_id), _CONTENT[table]
    later = (
        "SELECT DISTINCT ON (row_key) row_key, version_before FROM roll_corrected_rows"
        f" WHERE county_id = {county} AND roll_year = {roll_year:d} AND table_name = {literal(table)}"
        f" AND correction_no > {correction_no:d} ORDER BY row_key, correction_no"
    )
    return (
        f"SELECT {', '.join(f't.{name}' for name in columns)} FROM {table} AS t WHERE t.county_id = {county}"
        f" AND t.roll_year = {roll_year:d} AND t.retired_at IS NULL"
        f" AND NOT EXISTS (SELECT FROM ({later}) AS l WHERE l.row_key = t.{key})"
        f" UNION ALL SELECT {', '.join(f'h.{name}' for name in columns)} FROM ({later}) AS l JOIN {history} AS h"
        f" ON h.county_id = {county} AND h.{key} = l.row_key AND h.version = l.version_before"
        f" WHERE h.roll_year = {roll_year:d} AND h.retired_at IS NULL"
    )


def _changed_rows(connection: Connection, county_id: str, roll_year: int, table: str, correction_no: int) -> bytes:
    """The output of a COPY of (key, content before, content after)."""
    model = SYNC_TARGETS[table]
    key, columns = key_column(model), ", ".join(_CONTENT[table])
    versions = " UNION ALL ".join(
        f"SELECT {columns}, version FROM {name} WHERE county_id = {literal(county_id)}"
        f" AND roll_year = {roll_year:d} AND retired_at IS NULL"
        for name in (table, history_table(model).name)
    )

    def content(version: str) -> str:
        return (
            f"(SELECT {_content(table)} FROM ({versions}) AS s WHERE s.{key} = c.row_key AND s.version = c.{version})"
        )

    copied, _ = copy_out(
        connection.connection.dbapi_connection,
        f"COPY (SELECT to_json(c.row_key), {content('version_before')}, {content('version_after')}"
        f" FROM roll_corrected_rows AS c WHERE c.county_id = {literal(county_id)} AND c.roll_year = {roll_year:d}"
        f" AND c.table_name = {literal(table)} AND c.correction_no = {correction_no:d}"
        ' ORDER BY c.row_key COLLATE "C") TO STDOUT',
    )
    return copied


def _content(table: str) -> str:
    return f"json_build_array({', '.join(f's.{name}' for name in _CONTENT[table])})"


def _plain(statement: str) -> str:
    """A statement without parameters for SQLAlchemy's text."""
    return statement.replace(":", "\\:")
