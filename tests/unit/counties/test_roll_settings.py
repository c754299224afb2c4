"""A county's own checks over its roll: rules of mappings, refused where a roll has no such column or type."""

from typing import Any

import pytest
from pydantic import ValidationError

from shared.counties.roll_settings import RollSettings


def settings(rule: dict[str, Any], **check: Any) -> RollSettings:
    own = {"name": "own", "title": "Ours", "rule": rule, **check}
    return RollSettings.model_validate({"checks": [own]})


def test_a_rule_of_mappings_is_a_check_that_warns_unless_it_says_otherwise() -> None:
    rule = {"rule": "range", "field": "year_built", "min": "1800", "max": "this_year"}
    (check,) = settings(rule).checks
    assert (check.severity, check.owner.value, check.rule) == ("warns", "ValuationStaff", rule)
    assert settings(rule, severity="blocks").checks[0].severity == "blocks"


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"rule": "required", "field": "shoe_size"}, "a roll has no shoe_size"),
        ({"rule": "reference", "field": "property_id", "table": "owners"}, "no rule `reference`"),
        ({"rule": "range", "field": "total_value", "max": "much"}, "'much' is no bound of a column of type numeric"),
        ({"rule": "range", "field": "total_value", "max": "today"}, "'today' is no bound"),
        ({"rule": "range", "field": "total_value", "max": "NaN"}, "'NaN' is no bound"),
        ({"rule": "range", "field": "last_sale_date", "max": "2025-02-30"}, "no bound of a column of type date"),
        ({"rule": "range", "field": "neighborhood", "max": "5"}, "no bound of a column of type text"),
        ({"rule": "compare", "field": "total_value", "operator": "<", "other": "neighborhood"}, "different types"),
        ({"rule": "total", "field": "total_value", "parts": ["land_value", "neighborhood"]}, "are numbers"),
        ({"rule": "magic"}, "magic"),
    ],
)
def test_a_rule_that_a_roll_cannot_be_held_against_is_refused(rule: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        settings(rule)
