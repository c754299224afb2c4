"""The states of an appeal: whatever is tried in whatever order, it moves along its ways alone and ends once."""

from decimal import Decimal
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from functions.appeals.domain.decision import agreed_values, decided_values, outcome_of
from functions.appeals.domain.transitions import OPEN, SETTLED, TRANSITIONS, Action, next_level, next_status
from functions.appeals.schemas import AppealStatus, DecidedValues, DecisionRequest, Level, Values
from shared.problems import Conflict, Unprocessable
from shared.uploads.document_types import is_of_type

ACTIONS = get_args(Action)
STATES = get_args(AppealStatus)
BEFORE = Values(land_value=Decimal(100), improvement_value=Decimal(200), total_value=Decimal(300))
MONEY = st.integers(0, 10**12).map(lambda cents: Decimal(cents) / 100)


def test_the_way_of_an_appeal_is_this_and_no_other() -> None:
    ways = {(before, action): after for action, (states, after) in TRANSITIONS.items() for before in states}

    assert ways == {
        ("filed", "review"): "informal",
        ("filed", "schedule"): "scheduled",
        ("filed", "stipulate"): "stipulated",
        ("filed", "withdraw"): "withdrawn",
        ("informal", "schedule"): "scheduled",
        ("informal", "decide"): "decided",
        ("informal", "stipulate"): "stipulated",
        ("informal", "withdraw"): "withdrawn",
        ("scheduled", "schedule"): "scheduled",
        ("scheduled", "hear"): "heard",
        ("scheduled", "stipulate"): "stipulated",
        ("scheduled", "withdraw"): "withdrawn",
        ("heard", "decide"): "decided",
        ("heard", "stipulate"): "stipulated",
        ("heard", "withdraw"): "withdrawn",
    }
    assert set(OPEN) | set(SETTLED) == set(STATES)


@given(st.lists(st.sampled_from(ACTIONS), max_size=12))
def test_an_appeal_is_settled_once_and_decided_only_after_a_review_or_a_hearing(actions: list[Action]) -> None:
    status: AppealStatus = "filed"
    level: Level = "informal"
    taken: list[Action] = []
    for action in actions:
        try:
            after = next_status(status, action)
        except Conflict:
            assert status not in TRANSITIONS[action][0]
            continue
        assert status not in SETTLED
        status, level = after, next_level(level, action)
        taken.append(action)
    assert (status in SETTLED) == bool({"decide", "stipulate", "withdraw"} & set(taken))
    assert (level == "hearing") == ("schedule" in taken)
    if status == "decided":
        assert taken[-2] in ("review", "hear")


@given(MONEY, MONEY)
def test_the_outcome_is_told_by_the_total_alone(land: Decimal, improvements: Decimal) -> None:
    values = DecidedValues(land_value=land, improvement_value=improvements, total_value=land + improvements)
    outcome = outcome_of(BEFORE, agreed_values(values, BEFORE))

    total = land + improvements
    assert outcome == ("sustained" if total == 300 else "reduced" if total < 300 else "raised")
    for claimed in ("reduced", "raised"):
        request = DecisionRequest(outcome=claimed, values=values, reason_code="equity", reason="x")
        if claimed == outcome:
            assert decided_values(request, BEFORE).total_value == land + improvements
        else:
            with pytest.raises(Unprocessable, match=f"is not {claimed}"):
                decided_values(request, BEFORE)


def test_a_sustained_value_is_the_rolls_and_has_no_other() -> None:
    assert decided_values(DecisionRequest(outcome="sustained", reason_code="equity", reason="x"), BEFORE) == BEFORE
    values = DecidedValues(total_value=Decimal(1))
    with pytest.raises(Unprocessable, match="leave out"):
        decided_values(DecisionRequest(outcome="sustained", values=values, reason_code="equity", reason="x"), BEFORE)
    with pytest.raises(Unprocessable, match="Say to which values"):
        decided_values(DecisionRequest(outcome="reduced", reason_code="equity", reason="x"), BEFORE)


def test_what_the_roll_divides_a_decision_divides_too() -> None:
    whole = DecidedValues(total_value=Decimal(250))
    with pytest.raises(Unprocessable, match="The roll divides the value"):
        agreed_values(whole, BEFORE)
    undivided = Values(land_value=None, improvement_value=None, total_value=Decimal(300))
    assert agreed_values(whole, undivided).total_value == 250


@pytest.mark.parametrize(
    "values",
    [
        {"land_value": "1", "total_value": "1"},
        {"land_value": "1", "improvement_value": "1", "total_value": "3"},
        {"total_value": "-1"},
        {"total_value": "1.001"},
        {},
    ],
)
def test_values_that_do_not_add_up_are_refused(values: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        DecidedValues.model_validate(values)


def test_a_document_is_of_the_type_that_its_beginning_says() -> None:
    assert is_of_type(b"%PDF-1.7", "application/pdf")
    assert is_of_type(b"MM\x00*", "image/tiff")
    assert not is_of_type(b"<html>", "application/pdf")
    assert not is_of_type(b"", "image/png")
