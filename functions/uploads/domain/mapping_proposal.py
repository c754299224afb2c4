"""The mapping proposed for an upload: which table it fills, by which column its rows are known, and its fields."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import orjson

from shared.mapping.proposal import (
    TABLE_WORDS,
    Guess,
    SampledTable,
    guesses_for,
    likely_key,
    one_line,
    plain_name,
    quoted_name,
)
from shared.mapping.targets import TargetTable, target_tables
from shared.uploads.schemas import ProposedField
from shared.uploads.source_tables import FILE_TABLE, PARCELS_TABLE

MIN_KNOWN_SHARE = 0.5
"""Share of a column's sampled values that are keys of the county, from which the column is taken for that key. A
choice: a list of corrections has nearly all, a column of other numbers hardly any."""
_PROPERTIES, _PROPERTY_ID = "properties_operational", "property_id"
_KNOWN_KEY_SCORE, _NAME_SCORE = 6, 4
"""Weights of a known key and of a table's word in the file's name against one column each. Choices: values tell more
than names."""

Reference = Literal["key", "property_id", "parcel_number"]


@dataclass(frozen=True)
class KnownKeys:
    """The number of a column's sampled values, and of those that are a key of the table, a property or its number."""

    sampled: int
    key: int = 0
    property_id: int = 0
    parcel_number: int = 0

    def share(self, reference: Reference) -> float:
        """The share of the values that are known."""
        return int(getattr(self, reference)) / self.sampled if self.sampled else 0.0


KnownColumns = Mapping[str, Mapping[str, KnownKeys]]
"""The sampled values that are keys of the county's rows, counted by target table and column."""


@dataclass(frozen=True)
class MappingProposal:
    """A proposed mapping (YAML), the table that it fills, its fields with reasons, and notes for a person."""

    target_table: str
    mapping: str
    fields: list[ProposedField]
    notes: list[str]


def signature_of(format_: str, columns: Sequence[str]) -> str:
    """The digest of a file's format and column names, by which its mapping is remembered."""
    return hashlib.sha256(orjson.dumps([format_, [name.strip().lower() for name in columns]])).hexdigest()


def propose_mapping(
    table: SampledTable, filename: str, county_id: str, known: KnownColumns, target_table: str | None
) -> MappingProposal | None:
    """The mapping for a table, of the target that it fits best or of the one that is asked for; None where nothing
    tells its rows apart.
    """
    targets = [target_tables()[target_table]] if target_table is not None else list(target_tables().values())
    proposals = [
        (_score(proposed, filename), proposed)
        for target in targets
        if (proposed := _Proposed.of(table, target, known.get(target.name, {}))) is not None
    ]
    if not proposals:
        return None
    _, best = max(proposals, key=lambda scored: scored[0])
    return best.written(county_id)


def _score(proposed: "_Proposed", filename: str) -> float:
    named = any(word in plain_name(filename) for word in TABLE_WORDS[proposed.target.name].split())
    return len(proposed.guesses) + _NAME_SCORE * named + _KNOWN_KEY_SCORE * (proposed.key_share >= MIN_KNOWN_SHARE)


@dataclass(frozen=True)
class _Proposed:
    """A target with the columns of the file that would fill it."""

    table: SampledTable
    target: TargetTable
    key: tuple[str, ...]
    key_reference: Reference
    key_share: float
    key_reason: str
    guesses: list[Guess]
    property_column: str | None
    property_reference: Reference
    property_reason: str

    @classmethod
    def of(cls, table: SampledTable, target: TargetTable, known: Mapping[str, KnownKeys]) -> "_Proposed | None":
        is_property = target.name == _PROPERTIES
        column, reference, share = _best(known, ("property_id", "parcel_number") if is_property else ("key",))
        if column is not None and share >= MIN_KNOWN_SHARE:
            key: tuple[str, ...] = (column,)
            reason = f"{_counted(known[column], reference)} of {column} are {_called(reference, target)}"
        else:
            key, reference, share = likely_key(table, target), "key", 0.0
            if not key:
                return None
            reason = f"{' and '.join(key)} tells its rows apart, and none of them is {_called('key', target)} yet"
        guesses = [guess for guess in guesses_for(table, target) if guess.source not in key or not is_property]
        property_column: str | None = None
        property_reference: Reference = "property_id"
        property_reason = ""
        if not is_property:
            property_column, property_reference, property_share = _best(known, ("property_id", "parcel_number"))
            guess = next((guess for guess in guesses if guess.column.name == _PROPERTY_ID), None)
            if property_column is None or property_share < MIN_KNOWN_SHARE:
                property_column, property_reference = (guess.source if guess else None), "property_id"
                property_reason = guess.reason if guess else ""
            else:
                counted = _counted(known[property_column], property_reference)
                property_reason = f"{counted} of {property_column} are {_called(property_reference, target)}"
            guesses = [guess for guess in guesses if guess.column.name != _PROPERTY_ID]
        proposed = cls(
            table,
            target,
            key,
            reference,
            share,
            reason,
            guesses,
            property_column,
            property_reference,
            property_reason,
        )
        return proposed if share >= MIN_KNOWN_SHARE or proposed.adds_rows or is_property else None

    @property
    def adds_rows(self) -> bool:
        """True where it fills all that a new row of the target needs."""
        filled = {guess.column.name for guess in self.guesses} | {self.target.key}
        filled |= {_PROPERTY_ID} if self.property_column else set()
        needed = {column.name for column in self.target.columns.values() if column.required}
        return self.target.name != _PROPERTIES and needed <= filled

    def written(self, county_id: str) -> MappingProposal:
        """The proposal as a document."""
        by_number = "parcel_number" in (self.key_reference, self.property_reference if self.property_column else "")
        lines = [
            f"# Proposed for {one_line(self.table.name)}: look at each line before you confirm.",
            "source_system_type: upload",
            'target_schema_version: "1.1"',
            f"county_id_default: {county_id}",
            "table_mappings:",
            f"  - source_table_name: {FILE_TABLE}",
            f"    target_table_name: {self.target.name}",
            f"    primary_key_source_fields: [{', '.join(map(quoted_name, self.key))}]  # {one_line(self.key_reason)}",
            f"    primary_key_target_fields: [{self.target.key}]",
            "    field_map:",
            *(line for _, line in self._field_lines()),
        ]
        if by_number:
            lines += [
                "lookups:",
                f"  parcels: {{source_table_name: {PARCELS_TABLE}, key: [parcel_number], columns: [property_id]}}",
            ]
        return MappingProposal(self.target.name, "\n".join(lines) + "\n", self._fields(), list(self._notes()))

    def _field_lines(self) -> list[tuple[str, str]]:
        joined = "{type: strip_whitespace}" + (', {type: concat, separator: "-"}' if len(self.key) > 1 else "")
        sources = ", ".join(map(quoted_name, self.key))
        lines = [(self.target.key, _field(f"[{sources}]", self.target.key, self.key_reference, joined))]
        if self.property_column is not None:
            source = quoted_name(self.property_column)
            lines.append(
                (_PROPERTY_ID, _field(source, _PROPERTY_ID, self.property_reference, "{type: strip_whitespace}"))
            )
        for guess in self.guesses:
            steps = f", transformations: [{guess.transformations}]" if guess.transformations else ""
            source = quoted_name(guess.source)
            line = f"      - {{source: {source}, target: {guess.column.name}, type: {guess.type}{steps}}}"
            lines.append((guess.column.name, f"      # {one_line(guess.reason)}\n{line}"))
        return lines

    def _fields(self) -> list[ProposedField]:
        reasons = {guess.source: (guess.column.name, guess.reason) for guess in self.guesses}
        if self.property_column is not None:
            reasons[self.property_column] = (_PROPERTY_ID, self.property_reason)
        reasons |= dict.fromkeys(self.key, (self.target.key, self.key_reason))
        return [
            ProposedField(source=column.name, target=reasons[column.name][0], reason=reasons[column.name][1])
            if column.name in reasons
            else ProposedField(source=column.name, target=None, reason="no field is known by this name; it is not read")
            for column in self.table.columns
        ]

    def _notes(self) -> list[str]:
        notes = []
        if self.key_reference == "parcel_number":
            notes.append(f"Rows are matched by parcel number: {self.key[0]} is looked up among the county's parcels.")
        elif self.key_share < MIN_KNOWN_SHARE and not self.adds_rows:
            notes.append(
                f"None of the sampled rows is known by {' and '.join(self.key)}: rows without a match are rejected, and"
                " named."
            )
        if self.adds_rows:
            notes.append(f"Rows that {self.target.name} does not have yet are added.")
        else:
            notes.append(f"Rows that {self.target.name} does not have are rejected: this file only changes rows.")
        return notes


def _field(source: str, target: str, reference: Reference, steps: str) -> str:
    if reference == "parcel_number":
        steps += ", {type: lookup, table: parcels, column: property_id}"
    return f"      - {{source: {source}, target: {target}, type: string, required: true, transformations: [{steps}]}}"


def _best(known: Mapping[str, KnownKeys], references: tuple[Reference, ...]) -> tuple[str | None, Reference, float]:
    """The column with the largest share of known values; of equal ones the first reference, and the first column."""
    best: tuple[str | None, Reference, float] = (None, references[0], 0.0)
    for reference in references:
        for column, counts in known.items():
            if counts.share(reference) > best[2]:
                best = (column, reference, counts.share(reference))
    return best


def _counted(known: KnownKeys, reference: Reference) -> str:
    return f"{getattr(known, reference):,} of {known.sampled:,} sampled values"


def _called(reference: Reference, target: TargetTable) -> str:
    match reference:
        case "key":
            return f"a {target.key} of {target.name}"
        case "property_id":
            return "a property_id"
        case _:
            return "a parcel_number"
