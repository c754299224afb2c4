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
from shared.mapping.compile.casts import to_copy_text, to_json, to_json_string
from shared.mapping.compile.compile_rules import RuleCompiler
from shared.mapping.compile.expression_stages import ExpressionStages
from shared.mapping.compile.fields import Check, FieldCompiler
from shared.mapping.compile.lookups import lookup_digest
from shared.mapping.compile.row_hashes import row_hashes
from shared.mapping.language.model import CountyMapping, TableMapping
from shared.mapping.rules.builtin_rules import range_rules
from shared.mapping.rules.rule_models import Range
from shared.mapping.rules.rule_names import BuiltinRule
from shared.mapping.targets import TargetTable, target_tables
from shared.mapping.transformations.step import References

RULES_VERSION = 3
"""Part of every mapping's digest: to be raised when a transformation, a rule or the hash changes its meaning."""

_JSON_NUMBER = r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?$"

MAX_QUOTED = 80
"""Characters of an invalid value that a reason quotes: a line of a terminal."""


@dataclass(frozen=True)
class MappedRows:
    """The result of mapping a frame of source rows.

    `good`: target columns, typed, and `row_hash`. `rejected`: `source_key`, `target_key` (NULL where it is
    not known), `source_row` and `reasons` as JSON text; a reason is {rule, field, message}. `warned`: the same of good
    rows that violate a rule whose severity is "warn". `keys`: the distinct target keys of all rows, good or rejected:
    those that the source still has.
    """

    good: pl.DataFrame
    rejected: pl.DataFrame
    warned: pl.DataFrame
    keys: pl.Series


def mapping_digest(mapping: CountyMapping, target: str, lookups: Lookups | None = None) -> str:
    """The digest of all that decides how a table's rows are mapped: mapping, value maps, lookups and our rules."""
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
"""The rows of the mapping's lookups, as `build_lookup` gives them, by name."""


def compile_table(
    mapping: CountyMapping,
    target: str,
    *,
    today: date,
    lookups: Lookups | None = None,
    timezone: str = "UTC",
    numeric_columns: Collection[str] = (),
) -> CompiledTable:
    """Compile the mapping of one target table. `today` bounds years and dates (see `builtin_rules`), `timezone` is the
    county's, and `numeric_columns` are those of the source whose type is numeric.

    Raises KeyError where the rows of a lookup that the table uses are not given.
    """
    references = References(mapping.value_maps, lookups or {}, timezone)
    return CompiledTable(mapping, mapping.table(target), target_tables()[target], today, references, numeric_columns)


class CompiledTable:
    """A table mapping as expressions over frames of which all columns are String; see `apply`."""

    def __init__(
        self,
        mapping: CountyMapping,
        table: TableMapping,
        target: TargetTable,
        today: date,
        references: References,
        numeric_columns: Collection[str],
    ) -> None:
        self.table = table
        self._numeric_columns = frozenset(numeric_columns)
        self.key = target.key
        self._target = target
        self._stages = ExpressionStages()
        overridden = {rule.field for rule in table.validations if isinstance(rule, Range)}
        ranges = {name: rule for name, rule in range_rules(target, today).items() if name not in overridden}
        compiler = FieldCompiler(mapping, references, target, ranges, self._stages)
        self._fields = [compiler.compile(field) for field in table.field_map]
        checks = [self._readable_row_check(), *(check for field in self._fields for check in field.checks)]
        rules = RuleCompiler({field.field.target: field for field in self._fields}, self._stages, today)
        checks += [check for rule in table.validations if (check := rules.compile(rule)) is not None]
        self._rejecting = [check for check in checks if check.severity == "reject"]
        self._warning = [check for check in checks if check.severity == "warn"] + self._readable_attributes_checks()
        filled = table.filled_columns
        self.columns = tuple(name for name in target.columns if name in filled)
        """The target columns that the mapping fills, in the order of the table."""

    def apply(self, source: pl.DataFrame) -> MappedRows:
        """Map, check and hash rows. Raises KeyError for a column that the mapping names and the source lacks."""
        missing = sorted(self.table.source_fields - set(source.columns))
        if missing:
            raise KeyError(f"the source of {self._target.name} has no column {', '.join(missing)}")
        frame = self._stages.evaluate(_with_fault_columns(source))
        columns = source.columns
        typed = frame.select(self._values(columns))
        invalid = _any_violated(frame, self._rejecting)
        duplicate = self._duplicates(typed, invalid)
        rejected = invalid | duplicate
        good = typed.filter(~rejected).select(self.columns)
        duplicate_reason = pl.when(duplicate.filter(rejected)).then(_reason(self._duplicate_key_check()))
        return MappedRows(
            good=good.with_columns(row_hashes(good, self.columns)),
            rejected=self._with_reasons(frame.filter(rejected), columns, self._rejecting, duplicate_reason),
            warned=self._warned(frame, columns, rejected),
            keys=typed.get_column(self.key).drop_nulls().unique(maintain_order=True),
        )

    def explain(self, source: pl.DataFrame) -> pl.DataFrame:
        """The outcome of each row, for the author of a mapping, as JSON texts.

        `source_row`, `result` (what would be stored), and the reasons in `rejected` and `warned`.
        """
        frame = self._stages.evaluate(_with_fault_columns(source))
        typed = frame.select(self._values(source.columns))
        duplicate = self._duplicates(typed, _any_violated(frame, self._rejecting))
        duplicate_reason = pl.when(duplicate).then(_reason(self._duplicate_key_check()))
        rejected = self._with_reasons(frame, source.columns, self._rejecting, duplicate_reason)
        warned = self._with_reasons(frame, source.columns, self._warning, pl.lit(None, dtype=pl.String))
        result = self.to_copy_texts(typed.select(self.columns)).select(pl.struct(pl.all()).struct.json_encode())
        return pl.DataFrame(
            {
                "source_row": rejected["source_row"],
                "result": result.to_series(),
                "rejected": rejected["reasons"],
                "warned": warned["reasons"],
            }
        )

    def good_keys(self, source: pl.DataFrame) -> pl.Series:
        """The target key of each row that violates no rule by itself, NULL for the others."""
        frame = self._stages.evaluate(_with_fault_columns(source))
        keys = frame.select(field.value for field in self._fields if field.field.target == self.key)
        good = ~_any_violated(frame, self._rejecting)
        return keys.select(pl.when(good).then(pl.first())).to_series()

    def to_copy_texts(self, good: pl.DataFrame) -> pl.DataFrame:
        """Good rows as the texts that COPY takes."""
        return good.select(to_copy_text(name, dtype).alias(name) for name, dtype in good.schema.items())

    def _duplicates(self, typed: pl.DataFrame, invalid: pl.Series) -> pl.Series:
        """Valid rows whose key an earlier valid row has."""
        first = typed.select(pl.struct(pl.col(self.key), invalid.alias("invalid")).is_first_distinct()).to_series()
        return ~first & ~invalid

    def _warned(self, frame: pl.DataFrame, columns: list[str], rejected: pl.Series) -> pl.DataFrame:
        if not self._warning:
            return pl.DataFrame(schema=dict.fromkeys(REASONED_COLUMNS, pl.String))
        warned = _any_violated(frame, self._warning) & ~rejected
        return self._with_reasons(frame.filter(warned), columns, self._warning)

    def _with_reasons(
        self, frame: pl.DataFrame, columns: list[str], checks: list[Check], *more: pl.Expr
    ) -> pl.DataFrame:
        """Rows with the reasons of the checks that they violate, and of `more`."""
        if frame.is_empty():
            return pl.DataFrame(schema=dict.fromkeys(REASONED_COLUMNS, pl.String))
        key = next(field.value for field in self._fields if field.field.target == self.key)
        reasons = [pl.when(pl.col(check.violated)).then(_reason(check)) for check in checks]
        values = (
            pl.concat_str(self.table.primary_key_source_fields, separator="/", ignore_nulls=True),
            pl.col(key),
            pl.struct(columns).struct.json_encode(),
            pl.lit("[") + pl.concat_str([*reasons, *more], separator=",", ignore_nulls=True) + pl.lit("]"),
        )
        return frame.select(value.alias(name) for name, value in zip(REASONED_COLUMNS, values, strict=True))

    def _readable_row_check(self) -> Check:
        """The check that the source could read the row."""
        unreadable = self._stages.add(pl.col(READ_FAULT).is_not_null(), READ_FAULT)
        return Check(BuiltinRule.UNREADABLE_ROW, self.key, unreadable, pl.col(READ_FAULT), verbatim=True)

    def _readable_attributes_checks(self) -> list[Check]:
        """The check that the source could read the values that are kept as attributes without being mapped."""
        if self.table.attributes.unmapped != "keep":
            return []
        unmapped = pl.col(VALUE_FAULTS)
        for source in sorted(self.table.source_fields):
            unmapped = unmapped.str.replace(rf"(?m)^{re.escape(fault_name(source))}\t.*\n?", "")
        reason = self._stages.add(unmapped.str.replace_all("\t", ": ").str.strip_chars(), VALUE_FAULTS)
        violated = self._stages.add(pl.col(reason) != "", reason)
        return [
            Check(BuiltinRule.UNREADABLE_VALUE, "attributes", violated, pl.col(reason), verbatim=True, severity="warn")
        ]

    def _duplicate_key_check(self) -> Check:
        key = next(field.value for field in self._fields if field.field.target == self.key)
        return Check(
            BuiltinRule.DUPLICATE_KEY, self.key, "", pl.col(key), "an earlier row of the source has the key {}"
        )

    def _values(self, columns: list[str]) -> list[pl.Expr]:
        """The target columns; those that are filled by entries as JSON objects."""
        values, entries = [], dict[str, list[tuple[str, pl.Expr]]]()
        for compiled in self._fields:
            if compiled.field.entry is not None:
                entry = (compiled.field.entry, to_json(pl.col(compiled.value), compiled.field.type))
                entries.setdefault(compiled.field.column, []).append(entry)
            elif compiled.field.column in self.columns:
                values.append(pl.col(compiled.value).alias(compiled.field.column))
        if self.table.attributes.unmapped == "keep":
            attributes = entries.setdefault("attributes", [])
            taken = {name for name, _ in attributes}
            attributes += _unmapped_entries(columns, self.table, taken, self._numeric_columns)
        return values + [_object(fields).alias(column) for column, fields in entries.items()]


def _unmapped_entries(
    columns: list[str], table: TableMapping, taken: set[str], numeric_columns: Collection[str]
) -> list[tuple[str, pl.Expr]]:
    """Entries of the source columns that no field names: no shapes, and none of a name that a field fills."""
    entries: dict[str, pl.Expr] = {}
    for column in columns:
        name = re.sub(r"[^a-z0-9]+", "_", column.lower()).strip("_")[:63]
        kept = column not in table.source_fields and column not in (WKB, READ_FAULT, VALUE_FAULTS, ROW_NUMBER)
        if not kept or not name or name in taken or name in entries:
            continue
        text = pl.col(column).str.strip_chars()
        value = to_json_string(text)
        if column in numeric_columns:
            value = pl.when(text.str.contains(_JSON_NUMBER)).then(text).otherwise(value)
        entries[name] = pl.when(text != "").then(value)
    return list(entries.items())


def _any_violated(frame: pl.DataFrame, checks: list[Check]) -> pl.Series:
    violated = frame.select(pl.col(check.violated).fill_null(value=False) for check in checks)
    return violated.select(pl.any_horizontal(pl.all())).to_series()


def _with_fault_columns(source: pl.DataFrame) -> pl.DataFrame:
    """The source with the columns of its faults, which most sources do not have."""
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
    if check.quoted is None:
        return pl.lit(head + orjson.dumps(check.message).decode() + "}")
    if check.verbatim:
        return pl.lit(head) + to_json_string(check.quoted) + pl.lit("}")
    before, _, after = check.message.partition("{}")
    value = check.quoted.fill_null("NULL").str.slice(0, MAX_QUOTED)
    return pl.lit(head) + to_json_string(pl.lit(f"{before}'") + value + pl.lit(f"'{after}")) + pl.lit("}")
