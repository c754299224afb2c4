"""The figures of `terrafusion status`, by the local cloud's logs."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.cli.service_levels import CountyAge, of_counties, of_jobs, of_requests, percentile
from infra.slos import SLOS
from shared import metrics

NOW = datetime(2026, 3, 5, 12, tzinfo=UTC)
SINCE = NOW - timedelta(hours=24)


def _request(
    path: str, status: int = 200, milliseconds: float = 10, *, method: str = "GET", hours_ago: float = 1
) -> str:
    moment = (NOW - timedelta(hours=hours_ago)).isoformat()
    return json.dumps({"time": moment, "method": method, "path": path, "status": status, "milliseconds": milliseconds})


def test_sign_ins_and_reads_are_counted_in_the_gateways_log(tmp_path: Path) -> None:
    login = "/v1/auth/login"
    (tmp_path / "requests.jsonl.1").write_text(_request(login, 401, method="POST") + "\n")
    lines = [
        _request(login, 503, method="POST"),
        _request(login, 503, method="POST", hours_ago=30),
        _request("/v1/counties/king_wa/properties", milliseconds=2500),
        _request("/v1/counties/king_wa/properties", 500),
        *[_request("/v1/counties", 404)] * 98,
        _request("/v1/counties/king_wa/reports", method="POST", milliseconds=9000),
        '{"cut off',
    ]
    (tmp_path / "requests.jsonl").write_text("\n".join(lines))

    sign_in, read = of_requests(tmp_path, SINCE)

    assert (sign_in.good, sign_in.total, sign_in.holds) == (1, 2, False)
    assert (read.good, read.total, read.holds, read.detail) == (98, 100, False, "p99 10 ms")


def test_jobs_are_counted_by_the_metrics_that_their_ends_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for status, by_platform in (("Succeeded", 0), ("Failed", 0), ("Failed", 1), ("Cancelled", 0)):
        figures: dict[str, Any] = {f"Jobs{status}": ("Count", 1), "JobsFailedByPlatform": ("Count", by_platform)}
        metrics.record("jobs", figures, dimensions={"kind": "report"}, properties={"county_id": "king_wa"})
    (tmp_path / "functions.log").write_text("a line of another kind\n" + capsys.readouterr().out)

    jobs = of_jobs(tmp_path, datetime.now(UTC) - timedelta(hours=1))

    assert (jobs.good, jobs.total, jobs.detail) == (2, 3, "2 failed, 1 by the platform")
    assert of_jobs(tmp_path, datetime.now(UTC) + timedelta(hours=1)).share is None


def test_counties_that_are_not_scheduled_are_not_counted() -> None:
    hour = timedelta(hours=1)
    counties = [CountyAge("a_wa", NOW, NOW + hour), CountyAge("b_wa", None, NOW - hour), CountyAge("c_wa", None, None)]
    assert (of_counties(counties, NOW).good, of_counties(counties, NOW).total) == (1, 2)


def test_a_percentile_is_a_value_that_was_measured() -> None:
    assert percentile(range(1, 101), 99) == 99
    assert percentile([7], 99) == 7
    assert percentile([], 99) is None


@pytest.mark.parametrize("slo", SLOS, ids=lambda slo: slo.name)
def test_a_promise_names_its_objective(slo: Any) -> None:
    assert f"{100 * slo.objective:g} %" in slo.promise
