"""The reasons that a run shows for failures caught by the state machine."""

import json

import pytest

from functions.sync.tasks.retries import RetryableError
from shared.jobs.failures import reason_of
from shared.problems import Conflict, SourceUnavailable, Unprocessable


@pytest.mark.parametrize("problem", [Conflict, SourceUnavailable, Unprocessable, RetryableError])
def test_a_problem_keeps_its_detail(problem: type[Exception]) -> None:
    error = reason_of({"Error": problem.__name__, "Cause": json.dumps({"errorMessage": "The server said no."})})
    assert error.detail == "The server said no."
    assert error.type == problem.slug  # type: ignore[attr-defined]  # all of them are problems


@pytest.mark.parametrize("kind", ["States.Timeout", "Lambda.Unknown", "Runtime.ExitError"])
def test_a_crash_is_reported_as_a_crash(kind: str) -> None:
    assert reason_of({"Error": kind, "Cause": "RequestId: 1 Error: Runtime exited"}).detail.startswith("A task ")


def test_anything_else_is_named_and_its_message_kept_out() -> None:
    error = reason_of({"Error": "KeyError", "Cause": json.dumps({"errorMessage": "password=1"})})
    assert (error.type, error.detail) == ("task-failed", "A task failed (KeyError); see its log.")


def test_a_cause_that_is_no_json_is_read_as_it_is() -> None:
    assert reason_of({"Error": "Conflict", "Cause": "plain"}).detail == "plain"
    assert reason_of({}).detail == "A task failed (Unknown); see its log."
