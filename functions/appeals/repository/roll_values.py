"""SQL of the values of one property on a roll, and of replacing them by decided ones."""
# ruff: noqa: S608 - names of ours, values as parameters

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, select, text

from functions.appeals.schemas import Values
from shared.counties.configuration import ValuationSettings
from shared.db.models import (
    BEGINS,
    Assessment,
    County,
    PropertyOperational,
    SyncedModel,
    keep_versions,
    key_column,
)
from shared.precedence import overrides

_VALUE_FIELDS = ("land_value", "improvement_value", "total_value")


@dataclass(frozen=True)
class AssessedProperty:
    """An assessment of a property: its id, its values, and the class on the roll."""

    assessment_id: str
    values: Values
    property_class: str | None


def assessments_of(
    connection: Connection, county_id: str, property_id: str, roll_year: int, *, for_update: bool = False
) -> list[AssessedProperty]:
    """The assessments of a property in a roll year; with `for_update` locked until the transaction ends."""
    columns = (Assessment.assessment_id, Assessment.property_class, *(getattr(Assessment, n) for n in _VALUE_FIELDS))
    statement = select(*columns).where(
        Assessment.county_id == county_id,
        Assessment.property_id == property_id,
        Assessment.roll_year == roll_year,
        Assessment.retired_at.is_(None),
    )
    rows = connection.execute(statement.with_for_update() if for_update else statement)
    return [
        AssessedProperty(
            row.assessment_id,
            Values(
                land_value=row.land_value,
                improvement_value=row.improvement_value,
                total_value=_total(row.total_value, row.land_value, row.improvement_value),
            ),
            row.property_class,
        )
        for row in rows
    ]


def write(
    connection: Connection,
    county_id: str,
    assessed: AssessedProperty,
    property_id: str,
    roll_year: int,
    values: Values,
    decision: overrides.Decision,
) -> None:
    """Put decided values into an assessment and, where there is no later roll, into the property.

    The versions before go into the histories with the decision's id, and each field that changes is an override.
    """
    decided = values.model_dump()
    total = values.total_value or Decimal(0)
    assessed_value = (total * _assessment_ratio(connection, county_id)).quantize(Decimal(1))
    _supersede(
        connection,
        county_id,
        Assessment,
        assessed.assessment_id,
        decided | {"assessed_value": assessed_value},
        decision,
    )
    later = connection.scalar(
        select(Assessment.assessment_id)
        .where(
            Assessment.county_id == county_id,
            Assessment.property_id == property_id,
            Assessment.roll_year > roll_year,
            Assessment.retired_at.is_(None),
        )
        .limit(1)
    )
    if later is None:
        _supersede(connection, county_id, PropertyOperational, property_id, decided, decision)


def _supersede(
    connection: Connection,
    county_id: str,
    model: SyncedModel,
    key: str,
    values: dict[str, Any],
    decision: overrides.Decision,
) -> None:
    name, table = key_column(model), model.__tablename__
    parameters = {"county_id": county_id, "row_key": key, "decision_id": decision.decision_id}
    different = " OR ".join(f"t.{field} IS DISTINCT FROM CAST(:{field} AS numeric)" for field in values)
    which = f"WHERE t.county_id = :county_id AND t.{name} = :row_key AND ({different})"
    connection.execute(text(keep_versions(model, which, "CAST(:decision_id AS uuid)")), parameters | values)
    assigned = ", ".join(f"{field} = CAST(:{field} AS numeric)" for field in values)
    connection.execute(
        text(f"UPDATE {table} AS t SET {assigned}, version = t.version + 1, valid_from = {BEGINS} {which}"),
        parameters | values,
    )
    condition = f"h.superseded_by_run = :decision_id AND t.{name} = :row_key"
    overrides.record(connection, county_id, model, list(values), decision, condition, {"row_key": key})


def _assessment_ratio(connection: Connection, county_id: str) -> Decimal:
    stored = connection.scalar(
        select(County.configuration["plugin_settings"]["valuation"]).where(County.county_id == county_id)
    )
    return ValuationSettings.model_validate(stored or {}).assessment_ratio


def _total(total: Decimal | None, land: Decimal | None, improvements: Decimal | None) -> Decimal | None:
    if total is not None or land is None or improvements is None:
        return total
    return land + improvements
