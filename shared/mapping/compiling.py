"""A table mapping compiled to column expressions: source texts in, typed rows, hashes and rejects out."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date

import orjson
import polars as pl

from shared.mapping.fields import Check, CompiledField, FieldCompiler, Levels
from shared.mapping.hashing import row_hashes
from shared.mapping.model import READ_FAULT, CountyMapping, TableMapping
from shared.mapping.reading import as_json, json_text, written
from shared.mapping.rules import range_rules
from shared.mapping.targets import TargetTable, target_tables

RULES_VERSION = 1
"""Part of every mapping's digest: to be raised when a transformation, a rule or the hash changes its meaning."""

MAX_SHOWN = 80
"""Characters of a faulty value that a reason quotes."""


@dataclass(frozen=True)
class MappedRows:
    """What became of a frame of source rows.

    `good`: target columns, typed, and `row_hash`. `rejected`: `source_key`, `target_key` (NULL where it cannot be
    told), `source_row` and `reasons` as JSON text; a reason is {rule, field, message}. `keys`: the target keys of
    all rows, good or bad, each once: what the source still has.
    """

    good: pl.DataFrame
    rejected: pl.DataFrame
    keys: pl.Series


def mapping_digest(mapping: CountyMapping, target: str) -> str:
    """What decides how a table's rows are read: the digest of its mapping, its value maps and our rules."""
    table = mapping.table(target)
    content = {
        "rules": RULES_VERSION,
        "table": table.model_dump(mode="json"),
        "value_maps": mapping.value_maps,
        "configured": [mapping.county_id_default, mapping.source_system_type],
    }
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


def compile_table(mapping: CountyMapping, target: str, *, today: date) -> CompiledTable:
    """The compiled mapping of one target table; `today` bounds years and dates (see `rules`)."""
    return CompiledTable(mapping, mapping.table(target), target_tables()[target], today)


class CompiledTable:
    """Maps frames whose columns are all String; see `apply`."""

    def __init__(self, mapping: CountyMapping, table: TableMapping, target: TargetTable, today: date) -> None:
        self.table = table
        self.key = target.key
        self._target = target
        self._levels = Levels()
        compiler = FieldCompiler(mapping, target, range_rules(target, today), self._levels)
        self._fields = [compiler.compile(field) for field in table.field_map]
        unread = self._levels.add(pl.col(READ_FAULT).is_not_null(), READ_FAULT)
        self._checks = [Check("unreadable_row", self.key, unread, pl.col(READ_FAULT), verbatim=True)]
        self._checks += [check for field in self._fields for check in field.checks]
        filled = {field.field.column for field in self._fields}
        self.columns = tuple(name for name in target.columns if name in filled)
        """The target columns that the mapping fills, in the order of the table."""

    def apply(self, source: pl.DataFrame) -> MappedRows:
        """Map, check and hash rows. Raises KeyError where a column that the mapping names is absent."""
        missing = sorted(self.table.source_fields - set(source.columns))
        if missing:
            raise KeyError(f"the source of {self._target.name} has no column {', '.join(missing)}")
        frame = self._levels.evaluate(_with_read_fault(source))
        read = frame.select(self._values)
        faults = frame.select(pl.col(check.fault).fill_null(value=False) for check in self._checks)
        bad = faults.select(pl.any_horizontal(pl.all())).to_series()
        twice = self._duplicates(read, bad)
        rejected = bad | twice
        good = read.filter(~rejected).select(self.columns)
        return MappedRows(
            good=good.with_columns(row_hashes(good, self.columns)),
            rejected=self._rejects(frame.filter(rejected), _source_columns(source), twice.filter(rejected)),
            keys=read.get_column(self.key).drop_nulls().unique(maintain_order=True),
        )

    def texts(self, good: pl.DataFrame) -> pl.DataFrame:
        """Good rows as the texts that PostgreSQL's COPY reads."""
        return good.select(written(name, dtype).alias(name) for name, dtype in good.schema.items())

    def _duplicates(self, read: pl.DataFrame, bad: pl.Series) -> pl.Series:
        """Good rows whose key an earlier good row has."""
        first = read.select(pl.struct(pl.col(self.key), bad.alias("bad")).is_first_distinct()).to_series()
        return ~first & ~bad

    def _rejects(self, frame: pl.DataFrame, source_columns: list[str], twice: pl.Series) -> pl.DataFrame:
        if frame.is_empty():
            return pl.DataFrame(schema=dict.fromkeys(_REJECT_COLUMNS, pl.String))
        key = next(field.value for field in self._fields if field.field.target == self.key)
        reasons = [pl.when(pl.col(check.fault)).then(_reason(check)) for check in self._checks]
        again = Check("duplicate_key", self.key, "", pl.col(key), "an earlier row of the source has the key {}")
        reasons.append(pl.when(twice).then(_reason(again)))
        source_key = pl.concat_str(self.table.primary_key_source_fields, separator="/", ignore_nulls=True)
        columns = (
            source_key,
            pl.col(key),
            pl.struct(source_columns).struct.json_encode(),
            pl.lit("[") + pl.concat_str(reasons, separator=",", ignore_nulls=True) + pl.lit("]"),
        )
        return frame.select(column.alias(name) for name, column in zip(_REJECT_COLUMNS, columns, strict=True))

    @property
    def _values(self) -> list[pl.Expr]:
        """The target columns; those that are filled by entries as JSON objects."""
        values, entries = [], dict[str, list[CompiledField]]()
        for compiled in self._fields:
            if compiled.field.entry is not None:
                entries.setdefault(compiled.field.column, []).append(compiled)
            elif compiled.field.column in self.columns:
                values.append(pl.col(compiled.value).alias(compiled.field.column))
        return values + [_object(fields).alias(column) for column, fields in entries.items()]


def _source_columns(frame: pl.DataFrame) -> list[str]:
    return [name for name in frame.columns if name != READ_FAULT]


def _with_read_fault(source: pl.DataFrame) -> pl.DataFrame:
    """Most sources have no rows that are none, and do not have the column either."""
    if READ_FAULT in source.columns:
        return source
    return source.with_columns(pl.lit(None, dtype=pl.String).alias(READ_FAULT))


_REJECT_COLUMNS = ("source_key", "target_key", "source_row", "reasons")


def _object(fields: list[CompiledField]) -> pl.Expr:
    """A JSON object of the entries that are not NULL; NULL where there is none."""
    entries = [
        pl.lit(f'"{one.field.entry}":') + as_json(pl.col(one.value), one.field.type)
        for one in sorted(fields, key=lambda one: one.field.target)
    ]
    joined = pl.concat_str(entries, separator=",", ignore_nulls=True)
    return pl.when(joined != "").then(pl.lit("{") + joined + pl.lit("}"))


def _reason(check: Check) -> pl.Expr:
    """The reason as the text of a JSON object."""
    head = orjson.dumps({"rule": check.rule, "field": check.target})[:-1].decode() + ',"message":'
    if check.shown is None:
        return pl.lit(head + orjson.dumps(check.message).decode() + "}")
    if check.verbatim:
        return pl.lit(head) + json_text(check.shown) + pl.lit("}")
    before, _, after = check.message.partition("{}")
    value = check.shown.fill_null("NULL").str.slice(0, MAX_SHOWN)
    return pl.lit(head) + json_text(pl.lit(f"{before}'") + value + pl.lit(f"'{after}")) + pl.lit("}")
