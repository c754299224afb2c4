"""Properties of the current roll, as what is to be valued."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from pg8000.native import literal
from sqlalchemy import Connection

from shared.appraisal.columns import Characteristics
from shared.db.copying import copy_out_rows
from shared.evidence.attributes import AttributeKinds
from shared.evidence.reader import PROPERTY_COLUMNS, characteristics

_CURRENT = "p.neighborhood, p.total_value, p.land_value, p.improvement_value"


@dataclass(frozen=True)
class Subject:
    """One property as it is known now, with its values on the current roll (None where unknown, or 0)."""

    property_id: str
    property_class: str
    neighborhood: str
    total_value: Decimal | None
    land_value: Decimal | None
    improvement_value: Decimal | None
    _row: tuple[str, ...]

    def describe(self, kinds: AttributeKinds) -> Characteristics:
        """Its characteristics (n = 1), with the attributes that the evidence has."""
        return characteristics([self._row], kinds)


def read_subject(connection: Connection, county_id: str, property_id: str) -> Subject | None:
    """One property of the current roll, or None."""
    subjects = read_subjects(connection, county_id, f"p.property_id = {literal(property_id)}")
    return subjects[0] if subjects else None


def read_subjects(connection: Connection, county_id: str, condition: str) -> list[Subject]:
    """The properties of the current roll that meet a condition, by id.

    `condition` is SQL of properties_operational as `p`, its values written as literals.
    """
    rows = copy_out_rows(
        connection,
        f"SELECT {PROPERTY_COLUMNS}, {_CURRENT} FROM properties_operational p"  # noqa: S608 - names of ours, values as literals
        f" WHERE p.county_id = {literal(county_id)} AND p.retired_at IS NULL AND {condition} ORDER BY p.property_id",
    )
    return [Subject(row[0], row[3], row[-4], _amount(row[-3]), _amount(row[-2]), _amount(row[-1]), row) for row in rows]


def describe(subjects: list[Subject], kinds: AttributeKinds) -> Characteristics:
    """Their characteristics, with the attributes that the evidence has."""
    return characteristics([subject._row for subject in subjects], kinds)


def _amount(text: str) -> Decimal | None:
    """Legacy systems write 0 for a value that is not known."""
    amount = Decimal(text) if text else None
    return amount if amount and amount > 0 else None
