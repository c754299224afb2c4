"""A table mapping compiled to column expressions: source texts in, typed rows, hashes and rejects out."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

import orjson
import polars as pl

from shared.contracts.source_rows import READ_FAULT, ROW_NUMBER, VALUE_FAULTS, fault_name
from shared.geo.geometry import WKB
from shared.mapping.compile.casts import as_json, json_text, written
from shared.mapping.compile.compile_rules import RowRules
from shared.mapping.compile.fields import Check, FieldCompiler, Levels
from shared.mapping.compile.lookups import lookup_digest
from shared.mapping.compile.row_hashes import row_hashes
from shared.mapping.language.model import CountyMapping, TableMapping
from shared.mapping.rules.builtin_rules import range_rules
from shared.mapping.rules.rule_models import Range
from shared.mapping.targets import TargetTable, target_tables
from shared.mapping.transformations.step import References

RULES_VERSION = 3
"""Part of every mapping's digest: to be raised when a transformation, a rule or the hash changes its meaning."""

DUPLICATE_KEY = "duplicate_key"
"""The rule that a second row of the same key breaks."""
_JSON_NUMBER = r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?$"

MAX_SHOWN = 80
"""Characters of a faulty value that a reason quotes."""


@dataclass(frozen=True)
class MappedRows:
    """What became of a frame of source rows.

    `good`: target columns, typed, and `row_hash`. `rejected`: `source_key`, `target_key` (NULL where it cannot be
    told), `source_row` and `reasons` as JSON text; a reason is {rule, field, message}. `warned`: the same of rows that
    are good, and break a rule that only warns. `keys`: the target keys of all rows, good or bad, each once: what the
    source still has.
    """

    good: pl.DataFrame
    rejected: pl.DataFrame
    warned: pl.DataFrame
    keys: pl.Series


def mapping_digest(mapping: CountyMapping, target: str, lookups: Lookups | None = None) -> str:
    """What decides how a table's rows are read: the digest of its mapping, value maps and lookups, and our rules."""
    table = mapping.table(target)
    content = {
        "rules": RULES_VERSION,
        "table": table.model_dump(mode="json"),
        "value_maps": mapping.value_maps,
        "configured": [mapping.county_id_default, mapping.source_system_type],
        "lookups": {
            name: [mapping.lookups[name].model_dump(mode="json"), lookup_digest(rows)]
            for name, rows in (lookups or {}).items()
            if name in table.lookups
        },
    }
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


Lookups = Mapping[str, pl.DataFrame]
"""The rows of the mapping's lookups, as `lookups.prepared` gives them, by name."""


def compile_table(
    mapping: CountyMapping,
    target: str,
    *,
    today: date,
    lookups: Lookups | None = None,
    timezone: str = "UTC",
    numbers: Collection[str] = (),
) -> CompiledTable:
    """The compiled mapping of one target table; `today` bounds years and dates (see `rules`), `timezone` is the
    county's, and `numbers` are the columns of the source whose type is one of numbers.

    Raises KeyError where the rows of a lookup that the table uses are not given.
    """
    references = References(mapping.value_maps, lookups or {}, timezone)
    return CompiledTable(mapping, mapping.table(target), target_tables()[target], today, references, numbers)


class CompiledTable:
    """Maps frames whose columns are all String; see `apply`."""

    def __init__(
        self,
        mapping: CountyMapping,
        table: TableMapping,
        target: TargetTable,
        today: date,
        references: References,
        numbers: Collection[str],
    ) -> None:
        self.table = table
        self._numbers = frozenset(numbers)
        self.key = target.key
        self._target = target
        self._levels = Levels()
        own = {rule.field for rule in table.validations if isinstance(rule, Range)}
        ranges = {name: rule for name, rule in range_rules(target, today).items() if name not in own}
        compiler = FieldCompiler(mapping, references, target, ranges, self._levels)
        self._fields = [compiler.compile(field) for field in table.field_map]
        checks = [*self._read_checks(), *(check for field in self._fields for check in field.checks)]
        rules = RowRules({field.field.target: field for field in self._fields}, self._levels, today)
        checks += [check for rule in table.validations if (check := rules.check(rule)) is not None]
        self._rejecting = [check for check in checks if check.severity == "reject"]
        self._warning = [check for check in checks if check.severity == "warn"] + self._unkept_checks()
        filled = table.filled_columns
        self.columns = tuple(name for name in target.columns if name in filled)
        """The target columns that the mapping fills, in the order of the table."""

    def apply(self, source: pl.DataFrame) -> MappedRows:
        """Map, check and hash rows. Raises KeyError where a column that the mapping names is absent."""
        missing = sorted(self.table.source_fields - set(source.columns))
        if missing:
            raise KeyError(f"the source of {self._target.name} has no column {', '.join(missing)}")
        frame = self._levels.evaluate(_with_faults(source))
        columns = source.columns
        read = frame.select(self._values(columns))
        bad = _any_broken(frame, self._rejecting)
        twice = self._duplicates(read, bad)
        rejected = bad | twice
        good = read.filter(~rejected).select(self.columns)
        again = pl.when(twice.filter(rejected)).then(_reason(self._again()))
        return MappedRows(
            good=good.with_columns(row_hashes(good, self.columns)),
            rejected=self._reasoned(frame.filter(rejected), columns, self._rejecting, again),
            warned=self._warned(frame, columns, rejected),
            keys=read.get_column(self.key).drop_nulls().unique(maintain_order=True),
        )

    def explain(self, source: pl.DataFrame) -> pl.DataFrame:
        """What becomes of each row, one by one, for whoever writes the mapping: `source_row`, `result` (what would be
        stored, as texts), `rejected` and `warned` (reasons), each as JSON text.
        """
        frame = self._levels.evaluate(_with_faults(source))
        read = frame.select(self._values(source.columns))
        twice = self._duplicates(read, _any_broken(frame, self._rejecting))
        again = pl.when(twice).then(_reason(self._again()))
        rejected = self._reasoned(frame, source.columns, self._rejecting, again)
        warned = self._reasoned(frame, source.columns, self._warning, pl.lit(None, dtype=pl.String))
        result = self.texts(read.select(self.columns)).select(pl.struct(pl.all()).struct.json_encode())
        return pl.DataFrame(
            {
                "source_row": rejected["source_row"],
                "result": result.to_series(),
                "rejected": rejected["reasons"],
                "warned": warned["reasons"],
            }
        )

    def good_keys(self, source: pl.DataFrame) -> pl.Series:
        """The target key of each row that breaks no rule of its own, NULL for the others."""
        frame = self._levels.evaluate(_with_faults(source))
        keys = frame.select(field.value for field in self._fields if field.field.target == self.key)
        good = ~_any_broken(frame, self._rejecting)
        return keys.select(pl.when(good).then(pl.first())).to_series()

    def texts(self, good: pl.DataFrame) -> pl.DataFrame:
        """Good rows as the texts that PostgreSQL's COPY reads."""
        return good.select(written(name, dtype).alias(name) for name, dtype in good.schema.items())

    def _duplicates(self, read: pl.DataFrame, bad: pl.Series) -> pl.Series:
        """Good rows whose key an earlier good row has."""
        first = read.select(pl.struct(pl.col(self.key), bad.alias("bad")).is_first_distinct()).to_series()
        return ~first & ~bad

    def _warned(self, frame: pl.DataFrame, columns: list[str], rejected: pl.Series) -> pl.DataFrame:
        if not self._warning:
            return pl.DataFrame(schema=dict.fromkeys(REASONED_COLUMNS, pl.String))
        warned = _any_broken(frame, self._warning) & ~rejected
        return self._reasoned(frame.filter(warned), columns, self._warning)

    def _reasoned(self, frame: pl.DataFrame, columns: list[str], checks: list[Check], *more: pl.Expr) -> pl.DataFrame:
        """Rows with the reasons that the checks give for them."""
        if frame.is_empty():
            return pl.DataFrame(schema=dict.fromkeys(REASONED_COLUMNS, pl.String))
        key = next(field.value for field in self._fields if field.field.target == self.key)
        reasons = [pl.when(pl.col(check.fault)).then(_reason(check)) for check in checks]
        values = (
            pl.concat_str(self.table.primary_key_source_fields, separator="/", ignore_nulls=True),
            pl.col(key),
            pl.struct(columns).struct.json_encode(),
            pl.lit("[") + pl.concat_str([*reasons, *more], separator=",", ignore_nulls=True) + pl.lit("]"),
        )
        return frame.select(value.alias(name) for name, value in zip(REASONED_COLUMNS, values, strict=True))

    def _read_checks(self) -> list[Check]:
        """The source's own word that a row is none."""
        unread = self._levels.add(pl.col(READ_FAULT).is_not_null(), READ_FAULT)
        return [Check("unreadable_row", self.key, unread, pl.col(READ_FAULT), verbatim=True)]

    def _unkept_checks(self) -> list[Check]:
        """The source's word that it could not read a value that is kept without being mapped."""
        if self.table.attributes.unmapped != "keep":
            return []
        rest = pl.col(VALUE_FAULTS)
        for source in sorted(self.table.source_fields):
            rest = rest.str.replace(rf"(?m)^{re.escape(fault_name(source))}\t.*\n?", "")
        said = self._levels.add(rest.str.replace_all("\t", ": ").str.strip_chars(), VALUE_FAULTS)
        left_out = self._levels.add(pl.col(said) != "", said)
        return [Check("unreadable_value", "attributes", left_out, pl.col(said), verbatim=True, severity="warn")]

    def _again(self) -> Check:
        key = next(field.value for field in self._fields if field.field.target == self.key)
        return Check(DUPLICATE_KEY, self.key, "", pl.col(key), "an earlier row of the source has the key {}")

    def _values(self, columns: list[str]) -> list[pl.Expr]:
        """The target columns; those that are filled by entries as JSON objects."""
        values, entries = [], dict[str, list[tuple[str, pl.Expr]]]()
        for compiled in self._fields:
            if compiled.field.entry is not None:
                entry = (compiled.field.entry, as_json(pl.col(compiled.value), compiled.field.type))
                entries.setdefault(compiled.field.column, []).append(entry)
            elif compiled.field.column in self.columns:
                values.append(pl.col(compiled.value).alias(compiled.field.column))
        if self.table.attributes.unmapped == "keep":
            attributes = entries.setdefault("attributes", [])
            taken = {name for name, _ in attributes}
            attributes += _unmapped(columns, self.table, taken, self._numbers)
        return values + [_object(fields).alias(column) for column, fields in entries.items()]


def _unmapped(
    columns: list[str], table: TableMapping, taken: set[str], numbers: Collection[str]
) -> list[tuple[str, pl.Expr]]:
    """Entries for the source columns that no field names; shapes are no attributes, and a name that is taken is left
    to the field that took it.
    """
    entries: dict[str, pl.Expr] = {}
    for column in columns:
        name = re.sub(r"[^a-z0-9]+", "_", column.lower()).strip("_")[:63]
        shown = column not in table.source_fields and column not in (WKB, READ_FAULT, VALUE_FAULTS, ROW_NUMBER)
        if not shown or not name or name in taken or name in entries:
            continue
        text = pl.col(column).str.strip_chars()
        value = json_text(text)
        if column in numbers:
            value = pl.when(text.str.contains(_JSON_NUMBER)).then(text).otherwise(value)
        entries[name] = pl.when(text != "").then(value)
    return list(entries.items())


def _any_broken(frame: pl.DataFrame, checks: list[Check]) -> pl.Series:
    faults = frame.select(pl.col(check.fault).fill_null(value=False) for check in checks)
    return faults.select(pl.any_horizontal(pl.all())).to_series()


def _with_faults(source: pl.DataFrame) -> pl.DataFrame:
    """Most sources have no rows or values that are none, and do not have the columns either."""
    absent = [name for name in (READ_FAULT, VALUE_FAULTS) if name not in source.columns]
    return source.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in absent)


REASONED_COLUMNS = ("source_key", "target_key", "source_row", "reasons")


def _object(entries: list[tuple[str, pl.Expr]]) -> pl.Expr:
    """A JSON object of the entries that are not NULL; NULL where there is none."""
    named = [pl.lit(f'"{name}":') + value for name, value in sorted(entries, key=lambda entry: entry[0])]
    if not named:
        return pl.lit(None, dtype=pl.String)
    joined = pl.concat_str(named, separator=",", ignore_nulls=True)
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
