"""The states of an appeal, and the ways from one to the next."""

from collections.abc import Mapping
from typing import Literal, get_args

from functions.appeals.schemas import AppealStatus, Level
from shared.problems import Conflict

Action = Literal["review", "schedule", "hear", "decide", "stipulate", "withdraw"]

OPEN: tuple[AppealStatus, ...] = ("filed", "informal", "scheduled", "heard")
"""The states of an appeal that is not settled."""
SETTLED: tuple[AppealStatus, ...] = ("decided", "stipulated", "withdrawn")

TRANSITIONS: Mapping[Action, tuple[tuple[AppealStatus, ...], AppealStatus]] = {
    "review": (("filed",), "informal"),
    "schedule": (("filed", "informal", "scheduled"), "scheduled"),
    "hear": (("scheduled",), "heard"),
    "decide": (("informal", "heard"), "decided"),
    "stipulate": (OPEN, "stipulated"),
    "withdraw": (OPEN, "withdrawn"),
}
"""Of each action the states in which it is taken, and the state after it. A scheduled hearing can be moved; the office
decides after its informal review, the board after a hearing."""


def next_status(status: AppealStatus, action: Action) -> AppealStatus:
    """The state after an action. Raises Conflict where it is not taken in this state, with what is."""
    before, after = TRANSITIONS[action]
    if status not in before:
        possible = [name for name in get_args(Action) if status in TRANSITIONS[name][0]]
        shown = f"possible: {', '.join(possible)}" if possible else "it is settled"
        raise Conflict(f"The appeal is {status}: {action} is not taken there; {shown}.", slug="appeal-status")
    return after


def next_level(level: Level, action: Action) -> Level:
    """The level after an action: that of a hearing from its first scheduling on."""
    return "hearing" if action == "schedule" else level
