"""Model of precedence by field: the result of any order of syncs and decisions."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

Values = dict[str, Any]


@dataclass
class Field:
    """A field: its value, the source's last value, and its standing decisions (id, value before)."""

    value: Any = None
    taken: Any = None
    decisions: list[tuple[UUID, Any]] = field(default_factory=list)

    def decide(self, decision: UUID, value: Any) -> None:
        if value != self.value:
            self.decisions.append((decision, self.value))
            self.value = value

    def take(self, value: Any) -> bool:
        """Take the source's present value; True for a conflict."""
        if value == self.taken:
            self.value = self.value if self.decisions else value
            return False
        conflict = bool(self.decisions) and self.value not in (self.taken, value)
        self.value, self.taken, self.decisions = value, value, []
        return conflict

    def withdraw(self, decision: UUID) -> None:
        if self.decisions and self.decisions[-1][0] == decision:
            self.value = self.decisions.pop()[1]


@dataclass
class Row:
    """A row of a table. `brought_back` are the decisions that ended a retirement."""

    fields: dict[str, Field]
    retired: bool = False
    made_by: UUID | None = None
    brought_back: set[UUID] = field(default_factory=set)

    def shown(self) -> Values:
        return {name: one.value for name, one in self.fields.items()}

    def decide(self, decision: UUID, values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            self.fields[name].decide(decision, value)

    def withdraw(self, decision: UUID) -> None:
        if not self.retired and (self.made_by == decision or decision in self.brought_back):
            self.retired = True
        for item in self.fields.values():
            item.withdraw(decision)

    def is_built_upon(self, decision: UUID) -> bool:
        """True where another decision stands on what this one decided."""
        stands = [[one for one, _ in each.decisions] for each in self.fields.values()]
        if self.made_by == decision and any(stands):
            return True
        return any(decision in ids and ids[-1] != decision for ids in stands)


class Table:
    """Rows by key; `filled` are the fields that the source has."""

    def __init__(self, filled: Iterable[str], other: Iterable[str] = ()) -> None:
        self.filled = tuple(filled)
        self.other = tuple(other)
        self.rows: dict[str, Row] = {}

    def live(self) -> dict[str, Values]:
        return {key: row.shown() for key, row in sorted(self.rows.items()) if not row.retired}

    def add(self, key: str, values: Mapping[str, Any], made_by: UUID | None = None) -> None:
        self.rows[key] = Row({name: Field() for name in (*self.filled, *self.other)}, made_by=made_by)
        for name, value in values.items():
            self.rows[key].fields[name] = Field(value, None if made_by else value)

    def sync(self, source: Mapping[str, Values], read: set[str], *, retires: bool) -> int:
        """Sync some rows of the source, and possibly removals; the number of conflicts."""
        conflicts = 0
        for key, values in source.items():
            row = self.rows.get(key)
            if key not in read:
                continue
            if row is None:
                self.add(key, values)
            elif row.retired or any(row.fields[name].taken != value for name, value in values.items()):
                conflicts += sum(row.fields[name].take(value) for name, value in values.items())
                row.retired = False
        for key, row in self.rows.items():
            if retires and key not in source and row.made_by is None:
                row.retired = True
        return conflicts
