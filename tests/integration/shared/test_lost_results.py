"""Results and files of jobs that are lost or damaged since: the answer says so, and what to do."""

from collections.abc import Callable
from dataclasses import dataclass

import orjson
import pytest

from functions.market_analysis.handler import handler as market
from functions.market_analysis.tasks import handler as analyse
from functions.ratio_study.handler import handler as ratio_study
from functions.ratio_study.tasks import handler as study
from functions.reporting.handler import handler as reporting
from functions.reporting.tasks import handler as report
from shared import storage
from tests.conftest import MigratedDatabase
from tests.gateway import Answer, Handler, call
from tests.integration.evidence_county import COUNTY, add_county, add_evidence
from tests.job_cloud import job_cloud, run_task

__all__ = ["job_cloud"]

PERIOD = {"from": "2022-01-01", "to": "2023-12-31"}


@dataclass(frozen=True)
class Made:
    """A job that has succeeded, and how it is looked at."""

    handler: Handler
    collection: str
    job_id: str

    def look(self, part: str, **query: str) -> Answer:
        """GET what belongs to the job."""
        name = {"reports": "report_id", "ratio-studies": "study_id", "market-analyses": "analysis_id"}[self.collection]
        resource = f"/v1/counties/{{county_id}}/{self.collection}/{{{name}}}{part}"
        return call(self.handler, "GET", resource, path={"county_id": COUNTY, name: self.job_id}, query=query)

    def key(self, name: str) -> str:
        """The key of an object in the job's folder."""
        return storage.county_key(COUNTY, "jobs", self.job_id, name)


@pytest.fixture
def made(database: MigratedDatabase, job_cloud: None) -> dict[str, Made]:
    """A study, the report of it as CSV, and a market analysis."""
    add_county()
    add_evidence()
    body = {"value_source": "assessed", **PERIOD, "iterations": 100}
    studied = _made(ratio_study, study, "ratio-studies", "ratio_study", body)
    request = {"ratio_study_id": studied.job_id}
    body = {"report_type": "sales_ratio_study", "format": "csv", "parameters": request}
    return {
        "study": studied,
        "report": _made(reporting, report, "reports", "report", body),
        "analysis": _made(market, analyse, "market-analyses", "market_analysis", PERIOD),
    }


def _made(handler: Handler, task: Handler, collection: str, kind: str, body: object) -> Made:
    resource = f"/v1/counties/{{county_id}}/{collection}"
    answer = call(handler, "POST", resource, path={"county_id": COUNTY}, body=body)
    assert answer.status == 202, answer.body
    assert run_task(task, COUNTY, kind, answer.body["id"]) == {"status": "succeeded"}
    return Made(handler, collection, answer.body["id"])


def assert_is_lost(answer: Answer) -> None:
    assert (answer.status, answer.body["type"]) == (410, "urn:terrafusion:problem:lost"), answer.body
    assert "submit the request again" in answer.body["detail"]
    assert "jobs/" not in str(answer.body["detail"])
    assert "counties/" not in str(answer.body["detail"])


DAMAGES: dict[str, Callable[[bytes], bytes | None]] = {
    "lost": lambda _: None,
    "empty": lambda _: b"",
    "cut short": lambda body: body[: len(body) // 2],
    "no text": lambda _: b"\xff\xfe\x00",
    "of another shape": lambda _: b"[]",
    "without its fields": lambda _: b"{}",
}


def damage(key: str, how: str) -> None:
    body = DAMAGES[how](storage.get(key))
    if body is None:
        storage.delete_below(key)
    else:
        storage.put(key, body)


def test_a_result_or_file_that_is_lost_or_damaged_is_told_as_gone_with_what_to_do(made: dict[str, Made]) -> None:
    results = {name: storage.get(each.key("results.json")) for name, each in made.items()}
    file = orjson.loads(results["report"])["file"]["filename"]
    content = storage.get(made["report"].key(file))
    for how in ("lost", "empty", "cut short"):
        damage(made["report"].key(file), how)
        assert_is_lost(made["report"].look("/download"))
        storage.put(made["report"].key(file), content)
    assert made["report"].look("/download").status == 303

    for how in DAMAGES:
        for each in made.values():
            damage(each.key("results.json"), how)
        assert_is_lost(made["study"].look("/results"))
        assert_is_lost(made["report"].look("/download"))
        assert_is_lost(made["analysis"].look("/results"))
        for format_ in ("json", "csv", "parquet"):
            assert_is_lost(made["analysis"].look("/download", format=format_))
        for name, each in made.items():
            assert each.look("").body["status"] == "succeeded"
            storage.put(each.key("results.json"), results[name])
    assert made["analysis"].look("/download", format="csv").status == 303


def test_a_file_of_an_analysis_is_made_anew_where_it_is_lost(made: dict[str, Made]) -> None:
    analysis = made["analysis"]
    for how in ("lost", "empty"):
        assert analysis.look("/download", format="csv").status == 303
        key = analysis.key(f"{COUNTY}-market-analysis-2022-01-01-2023-12-31.csv")
        before = storage.get(key)
        damage(key, how)
        assert analysis.look("/download", format="csv").status == 303
        assert storage.get(key) == before


def test_a_report_on_a_study_that_is_lost_or_damaged_fails_with_what_to_do(made: dict[str, Made]) -> None:
    study_id, key = made["study"].job_id, made["study"].key("results.json")
    body = {"report_type": "sales_ratio_study", "format": "json", "parameters": {"ratio_study_id": study_id}}
    whole = storage.get(key)
    for how in DAMAGES:
        damage(key, how)
        asked = call(reporting, "POST", "/v1/counties/{county_id}/reports", path={"county_id": COUNTY}, body=body)
        assert run_task(report, COUNTY, "report", asked.body["id"]) == {"status": "failed"}
        error = Made(reporting, "reports", asked.body["id"]).look("").body["error"]
        assert error["type"] == "ratio-study-lost"
        assert f"ratio study {study_id} are lost or damaged; make the study again" in error["detail"]
        storage.put(key, whole)
