"""The statements of a SQL source, in its dialect. Names are quoted; values are literals or bound."""
# ruff: noqa: S608 - names are quoted identifiers of models or mappings; values are literals or parameters

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from shared.contracts.source_rows import Key
from shared.sources.source import ChangedSince, KeyRange, Since, SourceTable
from shared.sources.sql.dialects import Dialect, Parameters


@dataclass(frozen=True)
class Statement:
    """SQL, and the values of its `:name` parameters."""

    sql: str
    parameters: Parameters


@dataclass(frozen=True)
class Statements:
    """Builder of the statements of one table; `types` are those of its columns, where they are needed."""

    dialect: Dialect
    quote: Callable[[str], str]
    table: SourceTable
    types: Mapping[str, str]
    primary_key: Sequence[str] = ()
    """Of the table itself; for change tracking only."""

    def schema(self) -> Statement:
        parameters: Parameters = {}
        return Statement(f"SELECT * FROM {self._source(parameters)} WHERE 1 = 0", parameters)

    def count(self) -> Statement:
        parameters: Parameters = {}
        return Statement(f"SELECT count(*) FROM {self._source(parameters)}", parameters)

    def cut(self, rows: int) -> Statement:
        """The keys of every `rows`-th row, each with its number."""
        parameters: Parameters = {}
        key = ", ".join(map(self.quote, self.table.key))
        numbered = f"SELECT {key}, row_number() OVER (ORDER BY {key}) AS row_no FROM {self._source(parameters)}"
        return Statement(
            f"SELECT * FROM ({numbered}) AS numbered WHERE row_no % {rows} = 0 ORDER BY row_no", parameters
        )

    def read(self, keys: KeyRange, columns: Sequence[str] = ()) -> Statement:
        parameters: Parameters = {}
        chosen = ", ".join(map(self.quote, columns)) or "*"
        order = ", ".join(map(self.quote, self.table.key))
        source = self._source(parameters)
        return Statement(f"SELECT {chosen} FROM {source}{self._within(keys, parameters)} ORDER BY {order}", parameters)

    def sample(self, rows: int) -> Statement:
        parameters: Parameters = {}
        top, limit = self.dialect.limit(rows)
        return Statement(f"SELECT {top}* FROM {self._source(parameters)}{limit}", parameters)

    def keys(self, columns: Sequence[str]) -> Statement:
        parameters: Parameters = {}
        chosen = ", ".join(map(self.quote, columns))
        return Statement(f"SELECT {chosen} FROM {self._source(parameters)}", parameters)

    def highest(self, field: str) -> Statement:
        parameters: Parameters = {}
        highest = self.dialect.highest(self.quote(field), self.types[field])
        return Statement(f"SELECT {highest} FROM {self._source(parameters)}", parameters)

    def deleted(self, version: int) -> Statement:
        """The keys of the rows that change tracking reports as deleted after `version` (SQL Server)."""
        chosen = ", ".join(f"changed.{self.quote(name)}" for name in self.primary_key)
        changes = f"CHANGETABLE(CHANGES {self.name}, {version}) AS changed"
        return Statement(f"SELECT {chosen} FROM {changes} WHERE changed.SYS_CHANGE_OPERATION = 'D'", {})

    @property
    def name(self) -> str:
        """The table's name, quoted part by part."""
        return ".".join(map(self.quote, (self.table.table_name or "").split(".")))

    def _source(self, parameters: Parameters) -> str:
        query = self.table.query
        whole = f"({query.rstrip()}\n)" if query is not None else self.name
        match self.table.since:
            case Since(field, value):
                since = self.dialect.value(value, self.types[field], parameters)
                return f"(SELECT * FROM {whole} AS everything WHERE {self.quote(field)} >= {since}) AS source"
            case ChangedSince(version):
                same = " AND ".join(f"everything.{self.quote(k)} = changed.{self.quote(k)}" for k in self.primary_key)
                return (
                    f"(SELECT everything.* FROM CHANGETABLE(CHANGES {whole}, {version}) AS changed"
                    f" INNER JOIN {whole} AS everything ON {same}) AS source"
                )
            case None:
                return f"{whole} AS source"

    def _within(self, keys: KeyRange, parameters: Parameters) -> str:
        """WHERE clause of lower < key <= upper; rows without a key are in the range without a lower end."""
        names = [self.quote(name) for name in self.table.key]
        absent = " OR ".join(f"{name} IS NULL" for name in names)
        conditions = []
        if keys.upper is not None:
            within = self._compared(names, keys.upper, "<=", parameters)
            conditions.append(within if keys.lower is not None else f"({within} OR {absent})")
        if keys.lower is not None:
            conditions.append(self._compared(names, keys.lower, ">", parameters))
            conditions += [f"{name} IS NOT NULL" for name in names]
        return f" WHERE {' AND '.join(conditions)}" if conditions else ""

    def _compared(self, names: Sequence[str], key: Key, operator: str, parameters: Parameters) -> str:
        types = [self.types[name] for name in self.table.key]
        values = [self.dialect.value(part, type_, parameters) for part, type_ in zip(key, types, strict=True)]
        if len(names) == 1:
            return f"{names[0]} {operator} {values[0]}"
        if self.dialect.compares_rows:
            return f"({', '.join(names)}) {operator} ({', '.join(values)})"
        return _expanded_comparison(names, values, operator)


def _expanded_comparison(names: Sequence[str], values: Sequence[str], operator: str) -> str:
    """(a, b) > (x, y) as a >= x AND (a > x OR (a = x AND b > y)): the first term is what an index answers."""
    strict = operator[0]
    choices = []
    for index, (name, value) in enumerate(zip(names, values, strict=True)):
        equal = [f"{names[before]} = {values[before]}" for before in range(index)]
        last = operator if index == len(names) - 1 else strict
        choices.append(" AND ".join([*equal, f"{name} {last} {value}"]))
    either = " OR ".join(f"({choice})" for choice in choices)
    return f"({names[0]} {strict}= {values[0]} AND ({either}))"
