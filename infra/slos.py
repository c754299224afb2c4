"""Service level objectives: what share of events is to be good, over which windows it is watched, by which metrics.

The alarms, the dashboard and `terrafusion status` are made of these. An alarm compares burn rates: 1 uses up the error
budget in exactly `BUDGET_DAYS`, 14.4 in two days. Each alarm needs a long window, which says that it matters, and a
short one, which says that it still goes on (Google, Site Reliability Workbook, chapter 5, table 5-8).
"""

from dataclasses import dataclass
from typing import NamedTuple

BUDGET_DAYS = 28
READ_LIMIT_MS = 2000
"""A read that takes longer, or that the platform fails, is a bad one. A choice: a cold start and a statement fit, and a
person who waits longer tries again."""
READ_ROUTES = "/v1/counties"
SIGN_IN_ROUTES = ("/v1/auth/login", "/v1/auth/challenge", "/v1/auth/refresh")


class Metric(NamedTuple):
    """One of the stage's own metrics: recorded by a service (`shared.metrics`), or counted in the gateway's log, which
    also knows of a function that never answered (`REQUEST_METRICS`)."""

    name: str
    service: str | None = None
    statistic: str = "Sum"


class RequestMetric(NamedTuple):
    """A metric of the lines of the gateway's log that match a filter pattern of CloudWatch Logs."""

    name: str
    pattern: str
    value: str = "1"


_SIGN_IN = " || ".join(f'($.resource = "{route}")' for route in SIGN_IN_ROUTES)
_READ = f'($.method = "GET") && ($.resource = "{READ_ROUTES}*")'
REQUEST_METRICS = (
    RequestMetric("SignIns", f"{{ {_SIGN_IN} }}"),
    RequestMetric("SignInsFailed", f"{{ ({_SIGN_IN}) && ($.status >= 500) }}"),
    RequestMetric("ReadMilliseconds", f"{{ {_READ} }}", "$.milliseconds"),
    RequestMetric("ReadsBad", f"{{ {_READ} && (($.milliseconds > {READ_LIMIT_MS}) || ($.status >= 500)) }}"),
)


class Windows(NamedTuple):
    """A long and a short window, in minutes, and the burn rate that both have to exceed."""

    name: str
    long_minutes: int
    short_minutes: int
    burn_rate: float


FAST = Windows("Fast", 60, 5, 14.4)
"""2 % of the budget in an hour."""
SLOW = Windows("Slow", 360, 30, 6)
"""5 % of the budget in six hours."""


@dataclass(frozen=True)
class Slo:
    """An objective.

    `promise` says it to a person. `bad` and `total` are metrics whose sums are divided. Below `min_events` in the long
    window nothing is concluded: one failure of three is no rate.
    """

    name: str
    title: str
    promise: str
    objective: float
    bad: tuple[Metric, ...]
    total: tuple[Metric, ...]
    min_events: int
    windows: tuple[Windows, ...] = (FAST, SLOW)

    @property
    def budget(self) -> float:
        """The share of events that may be bad."""
        return 1 - self.objective


SIGN_IN = Slo(
    "SignIn",
    "Sign-in",
    "99.9 % of sign-ins are answered without a fault of the platform",
    0.999,
    bad=(Metric("SignInsFailed"),),
    total=(Metric("SignIns"),),
    min_events=10,
)
READ = Slo(
    "Read",
    "Reads",
    f"99 % of reads are answered within {READ_LIMIT_MS / 1000:g} s",
    0.99,
    bad=(Metric("ReadsBad"),),
    total=(Metric("ReadMilliseconds", statistic="SampleCount"),),
    min_events=50,
)
FRESHNESS = Slo(
    "Freshness",
    "Data of counties",
    "99 % of the time a scheduled county has had its sync within six hours of its schedule",
    0.99,
    bad=(Metric("LateCounties", "freshness"),),
    total=(Metric("ScheduledCounties", "freshness"),),
    min_events=1,
    windows=(Windows("Slow", 360, 60, 6),),  # it is measured every quarter of an hour
)
JOBS = Slo(
    "Jobs",
    "Jobs and syncs",
    "99 % of jobs and syncs do not fail by a fault of the platform",
    0.99,
    bad=(Metric("JobsFailedByPlatform", "jobs"),),
    total=(Metric("JobsSucceeded", "jobs"), Metric("JobsFailed", "jobs")),
    min_events=5,
)
SLOS = (SIGN_IN, READ, FRESHNESS, JOBS)
