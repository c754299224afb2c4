"""The four objectives of `infra.slos` as they stand: of the local cloud from its logs, of counties from the API.

The logs hold what CloudWatch counts of a deployment: a line a request, and one in the embedded metric format for each
job's end.
"""

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from infra.slos import FRESHNESS, JOBS, READ, READ_LIMIT_MS, READ_ROUTES, SIGN_IN, SIGN_IN_ROUTES, Slo
from shared.counties.freshness import LastSync, due_at
from terrafusion import Client


@dataclass(frozen=True)
class ServiceLevel:
    """Good events of an objective and all of them; `detail` says more to a person."""

    slo: Slo
    good: int
    total: int
    detail: str = ""

    @property
    def share(self) -> float | None:
        """The share of good events; None where there was none."""
        return self.good / self.total if self.total else None

    @property
    def holds(self) -> bool:
        """False where the objective is missed."""
        return self.share is None or self.share >= self.slo.objective


@dataclass(frozen=True)
class CountyAge:
    """A county's last good sync, and when the next one has to be there."""

    county_id: str
    finished_at: datetime | None
    due_at: datetime | None

    def is_late(self, now: datetime) -> bool:
        """True where the next good sync is overdue."""
        return self.due_at is not None and self.due_at < now


def of_requests(logs: Path, since: datetime) -> list[ServiceLevel]:
    """Sign-ins and reads, by the gateway's log."""
    requests = list(_json_lines(logs, "requests.jsonl", since))
    sign_ins = [request for request in requests if request["path"] in SIGN_IN_ROUTES]
    reads = [request for request in requests if request["method"] == "GET" and request["path"].startswith(READ_ROUTES)]
    good_reads = [read for read in reads if read["status"] < 500 and read["milliseconds"] <= READ_LIMIT_MS]
    p99 = percentile([read["milliseconds"] for read in reads], 99)
    return [
        ServiceLevel(SIGN_IN, sum(request["status"] < 500 for request in sign_ins), len(sign_ins)),
        ServiceLevel(READ, len(good_reads), len(reads), f"p99 {p99:,.0f} ms" if p99 is not None else ""),
    ]


def of_jobs(logs: Path, since: datetime) -> ServiceLevel:
    """Ends of jobs and syncs, by the metrics in the functions' logs."""
    ends = [
        line
        for name in ("functions.log", "api.log")
        for line in _json_lines(logs, name, since, containing='"JobsFailedByPlatform"')
    ]
    ended = [line for line in ends if "JobsSucceeded" in line or "JobsFailed" in line]
    failed = sum("JobsFailed" in line for line in ended)
    bad = sum(int(line["JobsFailedByPlatform"][0]) for line in ended)
    return ServiceLevel(JOBS, len(ended) - bad, len(ended), f"{failed} failed, {bad} by the platform" if failed else "")


def ages(client: Client) -> list[CountyAge]:
    """The last good sync of each county of the user, by the API."""
    return [_age(client, county["county_id"]) for county in client.get("/v1/counties")]


def of_counties(counties: Iterable[CountyAge], now: datetime) -> ServiceLevel:
    """Counties that are scheduled, and how many of them are not late."""
    scheduled = [county for county in counties if county.due_at is not None]
    return ServiceLevel(FRESHNESS, sum(not county.is_late(now) for county in scheduled), len(scheduled))


def percentile(values: Iterable[float], percent: float) -> float | None:
    """The nearest-rank percentile; None of no values."""
    ordered = sorted(values)
    return ordered[math.ceil(len(ordered) * percent / 100) - 1] if ordered else None


def _age(client: Client, county_id: str) -> CountyAge:
    path = f"/v1/counties/{county_id}"
    county = client.get(path)
    runs = client.pages(f"{path}/sync-runs", status="succeeded")
    good = next(
        (run for run in runs if run["replay_of"] is None and (run["applied_at"] or not run["validate_only"])), None
    )
    last = None if good is None else LastSync(_moment(good["created_at"]), _moment(good["finished_at"]))
    crons = [schedule["cron"] for schedule in county["schedules"]]
    due = due_at(crons, county["configuration"]["timezone"], _moment(county["updated_at"]), last)
    return CountyAge(county_id, last and last.finished_at, due)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _json_lines(logs: Path, name: str, since: datetime, containing: str = "{") -> Iterator[dict[str, Any]]:
    """The objects of a log and of the one before it that are not older than `since`."""
    for log in (logs / f"{name}.1", logs / name):
        if not log.exists():
            continue
        with log.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                if containing not in line:
                    continue
                try:
                    entry = json.loads(line)
                except ValueError:
                    continue
                if _logged_at(entry) >= since:
                    yield entry


def _logged_at(entry: dict[str, Any]) -> datetime:
    """When a line was written: a request's `time`, or a metric's timestamp in milliseconds."""
    if "_aws" in entry:
        return _EPOCH + timedelta(milliseconds=entry["_aws"]["Timestamp"])
    return _moment(entry["time"])


_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
