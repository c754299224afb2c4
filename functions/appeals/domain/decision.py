"""The rules of a decision: which values go with which outcome."""

from decimal import Decimal

from functions.appeals.schemas import DecidedValues, DecisionRequest, Outcome, Values
from shared.problems import Unprocessable


def decided_values(request: DecisionRequest, before: Values) -> Values:
    """The values of a decision on the roll's values. Raises Unprocessable for values that are not its outcome's."""
    if request.outcome == "sustained":
        if request.values is not None:
            raise _refused("A sustained value stays as it is: leave out `values`.", "")
        return before
    if request.values is None:
        raise _refused(f"Say to which values it is {request.outcome}.", "")
    after = agreed_values(request.values, before)
    if outcome_of(before, after) != request.outcome:
        raise _refused(
            f"The value on the roll is {before.total_value}: {after.total_value} is not {request.outcome}.",
            "/total_value",
        )
    return after


def agreed_values(values: DecidedValues, before: Values) -> Values:
    """Values that replace the roll's. Raises Unprocessable where they do not divide what the roll divides."""
    divided = before.land_value is not None and before.improvement_value is not None
    if divided and values.land_value is None:
        raise _refused("The roll divides the value: give land_value and improvement_value too.", "/land_value")
    return Values(
        land_value=values.land_value, improvement_value=values.improvement_value, total_value=values.total_value
    )


def outcome_of(before: Values, after: Values) -> Outcome:
    """The outcome that leads from values to others; by the total alone."""
    old, new = before.total_value or Decimal(0), after.total_value or Decimal(0)
    return "sustained" if new == old else "reduced" if new < old else "raised"


def _refused(detail: str, member: str) -> Unprocessable:
    return Unprocessable(detail, pointer=f"/values{member}", slug="values-of-another-outcome")
