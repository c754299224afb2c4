"""A failure that a state machine caught, or that ended an execution, as a person reads it."""

from collections.abc import Mapping

import orjson

from shared.jobs.schemas import JobError
from shared.problems import Problem, read_message

NOT_STARTED = "not-started"
_ENDS = {
    "States.Timeout": ("task-failed", "A task took longer than it may."),
    "Sandbox.Timedout": ("task-failed", "A task took longer than it may."),
    "Runtime.ExitError": ("task-failed", "A task stopped, perhaps out of memory."),
    "Lambda.Unknown": ("task-failed", "A task stopped, perhaps out of memory."),
    "Execution.TimedOut": ("timed-out", "It took longer than it may as a whole, and was stopped."),
    "Execution.Aborted": ("aborted", "Its execution was stopped by an operator."),
    "Execution.NotStarted": (NOT_STARTED, "Nothing was started for it; resume it."),
    "Execution.Gone": ("interrupted", "Its execution has ended without a word."),
}


def reason_of(failure: Mapping[str, str]) -> JobError:
    """The reason, without internals: a problem keeps its words, anything else its name."""
    kind = failure.get("Error", "Unknown")
    if kind in _ENDS:
        slug, detail = _ENDS[kind]
        return JobError(type=slug, detail=detail)
    slugs = {problem.__name__: problem.slug for problem in _problems(Problem)}
    if kind in slugs:
        own_slug, detail = read_message(_message(failure.get("Cause", "")))
        return JobError(type=own_slug or slugs[kind], detail=detail)
    return JobError(type="task-failed", detail=f"A task failed ({kind}); see its log.")


def _problems(problem: type[Problem]) -> list[type[Problem]]:
    return [problem, *(deeper for below in problem.__subclasses__() for deeper in _problems(below))]


def _message(cause: str) -> str:
    try:
        return str(orjson.loads(cause)["errorMessage"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return cause[:500]
