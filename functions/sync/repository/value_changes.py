"""Statistics of the values in the rows that a run changes, by column and by attribute."""
# ruff: noqa: S608 - names are quoted identifiers of models; values are literals or parameters

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from pg8000.native import identifier, literal
from sqlalchemy import Connection, text

from functions.sync.repository import staging
from shared.db.models import SYNC_TARGETS, key_column
from shared.precedence.overrides import ATTRIBUTE_PREFIX, ATTRIBUTES


class FieldChanges(NamedTuple):
    """The number of changed rows in which a field differs, becomes empty, and had a value before."""

    changed: int
    emptied: int
    filled: int


class ClassDifference(NamedTuple):
    """Sums of a value over the changed rows of a property class, before and after."""

    before: Decimal
    after: Decimal


@dataclass(frozen=True)
class ChangedRows:
    """The rows of a table that a run changes, queried in its staging table."""

    connection: Connection
    county_id: str
    run_id: UUID
    target: str

    def by_field(self, columns: Sequence[str]) -> dict[str, FieldChanges]:
        """Changes by field, of the columns that differ in any row, and of the attributes."""
        counts = ", ".join(
            f"count(*) FILTER (WHERE {value_sql('t', name)} IS DISTINCT FROM {value_sql('s', name)}),"
            f" count(*) FILTER (WHERE {is_filled_sql('t', name)} AND NOT {is_filled_sql('s', name)}),"
            f" count(*) FILTER (WHERE {is_filled_sql('t', name)})"
            for name in columns
        )
        row = self._query_one(f"SELECT {counts} FROM {self._rows}")
        counted = {name: FieldChanges(*map(int, row[3 * at : 3 * at + 3])) for at, name in enumerate(columns)}
        changed = {name: changes for name, changes in counted.items() if changes.changed}
        if ATTRIBUTES in changed:
            changed |= self._by_attribute()
        return changed

    def count_filled(self, fields: Sequence[str]) -> dict[str, int]:
        """The number of live rows of the whole table that have a value in each field now."""
        counts = ", ".join(f"count(*) FILTER (WHERE {is_filled_sql('t', name)})" for name in fields)
        row = self._query_one(
            f"SELECT {counts} FROM {identifier(self.target)} AS t"
            " WHERE t.county_id = :county_id AND t.retired_at IS NULL"
        )
        return dict(zip(fields, map(int, row), strict=True))

    def count_distinct(self, field: str) -> tuple[int, int]:
        """The number of distinct values of a field in the changed rows, before and after."""
        before, after = self._query_one(
            f"SELECT count(DISTINCT {value_sql('t', field)}), count(DISTINCT {value_sql('s', field)}) FROM {self._rows}"
            f" WHERE {value_sql('t', field)} IS DISTINCT FROM {value_sql('s', field)}"
        )
        return int(before), int(after)

    def becomes_single_valued(self, field: str) -> bool:
        """True where all values of a field in the whole table would be the same after the run."""
        key, staged = identifier(key_column(SYNC_TARGETS[self.target])), staging.table_name(self.run_id, self.target)
        (distinct,) = self._query_one(
            f"SELECT count(DISTINCT v) FROM (SELECT {value_sql('t', field)} AS v FROM {identifier(self.target)} AS t"
            " WHERE t.county_id = :county_id AND t.retired_at IS NULL AND NOT EXISTS ("
            f"SELECT 1 FROM {staged} AS s WHERE s.{key} = t.{key} AND s.action IS NOT NULL)"
            f" UNION ALL SELECT {value_sql('s', field)} FROM {staged} AS s WHERE s.action <> 'D') AS after"
        )
        return int(distinct) == 1

    def class_differences(self, column: str, class_column: str | None) -> dict[str | None, ClassDifference]:
        """Sums of a value over the changed rows: before by their old class, after by their new one."""
        before, after = ("t.property_class", class_column or "t.property_class")
        rows = self.connection.execute(
            text(
                "SELECT property_class, sum(before), sum(after) FROM ("
                f"SELECT {before} AS property_class, coalesce(t.{column}, 0) AS before, 0 AS after FROM {self._rows}"
                f" UNION ALL SELECT {after}, 0, coalesce(s.{column}, 0) FROM {self._rows}"
                ") AS moved GROUP BY property_class"
            ),
            {"county_id": self.county_id},
        )
        return {row[0]: ClassDifference(Decimal(row[1]), Decimal(row[2])) for row in rows}

    def class_totals(self, column: str) -> dict[str | None, tuple[int, Decimal]]:
        """The number of live rows and the total of a value by class, now."""
        rows = self.connection.execute(
            text(
                f"SELECT property_class, count(*), coalesce(sum({identifier(column)}), 0)"
                f" FROM {identifier(self.target)} WHERE county_id = :county_id AND retired_at IS NULL GROUP BY 1"
            ),
            {"county_id": self.county_id},
        )
        return {row[0]: (int(row[1]), Decimal(row[2])) for row in rows}

    @property
    def _rows(self) -> str:
        key = identifier(key_column(SYNC_TARGETS[self.target]))
        return (
            f"{staging.table_name(self.run_id, self.target)} AS s JOIN {identifier(self.target)} AS t"
            f" ON t.county_id = :county_id AND t.{key} = s.{key} AND s.action = 'U'"
        )

    def _by_attribute(self) -> dict[str, FieldChanges]:
        rows = self.connection.execute(
            text(
                "SELECT k, count(*) FILTER (WHERE t.attributes -> k IS DISTINCT FROM s.attributes -> k),"
                " count(*) FILTER (WHERE t.attributes ->> k IS NOT NULL AND s.attributes ->> k IS NULL),"
                f" count(t.attributes ->> k) FROM {self._rows} CROSS JOIN LATERAL"
                " jsonb_object_keys(coalesce(t.attributes, '{}') || coalesce(s.attributes, '{}')) AS k"
                " WHERE t.attributes IS DISTINCT FROM s.attributes GROUP BY k ORDER BY k"
            ),
            {"county_id": self.county_id},
        )
        counted = {f"{ATTRIBUTE_PREFIX}{name}": FieldChanges(*map(int, counts)) for name, *counts in rows}
        return {name: counts for name, counts in counted.items() if counts.changed}

    def _query_one(self, statement: str) -> Sequence[int]:
        return tuple(self.connection.execute(text(statement), {"county_id": self.county_id}).one())


def value_sql(row: str, field: str) -> str:
    """SQL of a row's value of a field: a column, or a key of the attributes."""
    if field.startswith(ATTRIBUTE_PREFIX):
        return f"({row}.{ATTRIBUTES} -> {literal(field.removeprefix(ATTRIBUTE_PREFIX))})"
    return f"{row}.{identifier(field)}"


def is_filled_sql(row: str, field: str) -> str:
    """SQL condition that a row has a value in a field; an attribute that is null counts as absent."""
    if field.startswith(ATTRIBUTE_PREFIX):
        return f"({row}.{ATTRIBUTES} ->> {literal(field.removeprefix(ATTRIBUTE_PREFIX))} IS NOT NULL)"
    return f"({row}.{identifier(field)} IS NOT NULL)"
