"""A county's own checks as SQL: the rules of mappings, over the columns of a roll."""

from typing import Any

from pg8000.native import identifier, literal
from pydantic import TypeAdapter

from functions.roll.repository.checks import Check
from shared.counties.roll_settings import COUNTY_CHECK_PREFIX, ROLL_COLUMNS, CountyCheck
from shared.mapping.rules.rule_models import (
    FULL_MATCH,
    THIS_YEAR,
    TODAY,
    Allowed,
    Compare,
    Matches,
    Range,
    Required,
    Total,
    Unique,
    Validation,
)

_RULE: TypeAdapter[Any] = TypeAdapter(Validation)
_MOVING_BOUNDS = {TODAY: "CURRENT_DATE", THIS_YEAR: "extract(year FROM CURRENT_DATE)"}
_OPERATORS = {"==": "="}


def check_of(declared: CountyCheck) -> Check:
    """A county's check beside the platform's."""
    rule = _RULE.validate_python(declared.rule)
    detail = " || ', ' || ".join(
        f"concat({literal(f'{name} ')}, {_column(name)})" for name in dict.fromkeys(rule.columns)
    )
    rows = f"SELECT r.assessment_id, r.property_id, {detail} FROM checked_roll AS r WHERE {_violation(rule)}"  # noqa: S608
    name = f"{COUNTY_CHECK_PREFIX}{declared.name}"
    return Check(name, declared.title, declared.severity, declared.owner, _without_parameters(rows))


def _violation(rule: Any) -> str:
    """SQL of a row that breaks a rule; a rule says nothing of NULL, but for `required`."""
    match rule:
        case Required():
            return f"{_column(rule.field)} IS NULL"
        case Range():
            low = [f"{_column(rule.field)} < {_bound(rule.field, rule.min)}"] if rule.min is not None else []
            high = [f"{_column(rule.field)} > {_bound(rule.field, rule.max)}"] if rule.max is not None else []
            return f"({' OR '.join(low + high)})"
        case Allowed():
            return f"CAST({_column(rule.field)} AS text) NOT IN ({', '.join(map(literal, rule.values))})"
        case Matches():
            return f"CAST({_column(rule.field)} AS text) !~ {literal(FULL_MATCH.format(rule.pattern))}"
        case Compare():
            operator = _OPERATORS.get(rule.operator, rule.operator)
            return f"NOT ({_column(rule.field)} {operator} {_column(rule.other)})"
        case Total():
            parts = " + ".join(f"coalesce({_column(part)}, 0)" for part in rule.parts)
            known = f"coalesce({', '.join(map(_column, rule.parts))}) IS NOT NULL"
            return f"{known} AND abs({_column(rule.field)} - ({parts})) > {rule.tolerance!r}"
        case Unique():
            columns = [_column(name) for name in rule.fields]
            names = ", ".join(identifier(name) for name in rule.fields)
            known = " AND ".join(f"{column} IS NOT NULL" for column in columns)
            several = f"SELECT {names} FROM checked_roll GROUP BY {names} HAVING count(*) > 1"  # noqa: S608
            return f"{known} AND ({', '.join(columns)}) IN ({several})"
    raise TypeError(f"no SQL of {type(rule).__name__}")


def _column(name: str) -> str:
    return f"r.{identifier(name)}"


def _bound(column: str, bound: str) -> str:
    if bound in _MOVING_BOUNDS:
        return _MOVING_BOUNDS[bound]
    return f"CAST({literal(bound)} AS {ROLL_COLUMNS[column]})"


def _without_parameters(statement: str) -> str:
    """The statement with colons that would name a parameter escaped."""
    return statement.replace(":", "\\:")
