"""Reports of a county's runs and data, and of counties side by side."""

import csv
import io
import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import BaseModel
from sqlalchemy import insert, update

from shared import storage
from shared.db import unit_of_work
from shared.db.models import Job, PropertyOperational, RejectedRow, SyncRun
from shared.jobs.lifecycle import results_key
from tests.conftest import MigratedDatabase
from tests.gateway import claims_of
from tests.integration.evidence_county import COUNTY, add_county, add_evidence
from tests.integration.reporting.reports import look, made, request, run
from tests.integration.reporting.test_study_reports import study
from tests.job_cloud import downloaded, job_cloud
from tests.unit.reporting.example_study import STUDY_ID
from tests.unit.reporting.example_valuations import model_results, run_summary

__all__ = ["job_cloud"]

RUN = UUID("00000000-0000-4000-8000-00000000000b")
OTHER = "other_wa"


@pytest.fixture(autouse=True)
def county(database: MigratedDatabase, job_cloud: None) -> None:
    add_county()
    add_evidence()


def document(report_type: str, parameters: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(made(report_type, "json", parameters))
    return found


def test_data_quality_counts_the_parcels_that_break_each_rule() -> None:
    with unit_of_work(COUNTY) as connection:
        parcels = update(PropertyOperational)
        connection.execute(parcels.where(PropertyOperational.property_id < "P0100").values(neighborhood=None))
        connection.execute(parcels.where(PropertyOperational.property_id < "P0003").values(year_built=1492))
        connection.execute(parcels.where(PropertyOperational.property_id < "P0002").values(parcel_number="TWICE"))
        connection.execute(
            parcels.where(PropertyOperational.property_id == "P0400").values(
                retired_at=datetime(2026, 1, 1, tzinfo=UTC)
            )
        )
    quality = document("data_quality", {})["data_quality"]
    found = {(rule["field"], rule["problem"]): rule["parcels"] for rule in quality["totals"]}
    assert quality["parcels"] == 499
    assert found["neighborhood", "missing"] == 100
    assert found["year_built", "impossible"] == 3
    assert found["parcel_number", "duplicate"] == 2
    rows = list(csv.DictReader(io.StringIO(made("data_quality", "csv", {}).decode(), newline="")))
    assert Counter((row["field"], row["problem"]) for row in rows) == found
    impossible = document("data_quality", {"problems": ["impossible"]})["data_quality"]
    assert {rule["problem"] for rule in impossible["totals"]} == {"impossible"}


def add_run(status: str = "succeeded") -> None:
    own = {"county_id": COUNTY, "run_id": RUN}
    counts = {"tables": {"sales": {"read": 90, "changed": 3, "changed_fields": {"sale_price": 3}, "of_a_newer": 1}}}
    reject = {**own, "table_name": "sales", "partition_no": 0, "source_row": {}, "read_run": RUN}
    reasons = [{"rule": "required", "field": "sale_date", "message": "is missing"}]
    with unit_of_work(COUNTY) as connection:
        job = {"county_id": COUNTY, "job_id": RUN, "kind": "sync", "status": status, "request_digest": ""}
        connection.execute(insert(Job).values(**job, parameters={}, submitted_by="ann"))
        connection.execute(
            insert(SyncRun).values(
                **own,
                mode="full",
                validate_only=False,
                trigger="request",
                counts=counts,
                active=False,
                approved_by="bob",
            )
        )
        rejects = [{**reject, "reasons": reasons, "resolution": resolution} for resolution in (None, "gone")]
        connection.execute(insert(RejectedRow), rejects)


def test_a_sync_audit_has_the_runs_counts_rejects_and_approver() -> None:
    add_run()
    record = document("sync_audit", {"sync_run_id": str(RUN)})["sync_run"]
    assert (record["submitted_by"], record["approved_by"], record["totals"]["read"]) == ("ann", "bob", 90)
    assert record["tables"]["sales"]["changed_fields"] == {"sale_price": 3}
    assert record["rejects"] == [
        {"table": "sales", "rule": "required", "field": "sale_date", "rows": 2, "open_rows": 1}
    ]


def test_a_run_that_is_not_there_or_under_way_is_refused() -> None:
    unknown = request("sync_audit", "pdf", {"sync_run_id": str(uuid4())})
    assert (unknown.status, unknown.body["errors"][0]["pointer"]) == (422, "/body/parameters/sync_run_id")
    add_run("running")
    under_way = request("sync_audit", "pdf", {"sync_run_id": str(RUN)})
    assert (under_way.status, under_way.body["type"]) == (409, "urn:terrafusion:problem:sync-run-under-way")


def add_results(kind: str, job_id: UUID, results: BaseModel) -> None:
    """A job that has succeeded, with its results where jobs store them."""
    with unit_of_work(COUNTY) as connection:
        job = {"county_id": COUNTY, "job_id": job_id, "kind": kind, "status": "succeeded", "request_digest": ""}
        connection.execute(insert(Job).values(**job, parameters={}, submitted_by="ann"))
    storage.put(results_key(COUNTY, job_id), results.model_dump_json().encode(), "application/json")


def test_a_valuation_summary_has_the_stored_results_of_the_run_and_its_models() -> None:
    add_results("valuation_run", RUN, run_summary())
    add_results("valuation_model", STUDY_ID, model_results())
    found = document("valuation_summary", {"valuation_run_id": str(RUN)})
    assert found["valuation_run"] == run_summary().model_dump(mode="json")
    assert found["models"] == [model_results().model_dump(mode="json")]
    unknown = request("valuation_summary", "pdf", {"valuation_run_id": str(STUDY_ID)})
    assert (unknown.status, unknown.body["errors"][0]["pointer"]) == (422, "/body/parameters/valuation_run_id")


def test_counties_are_compared_by_their_stored_studies() -> None:
    add_county(OTHER)
    study_id = study()
    both = claims_of(counties=(COUNTY, OTHER))
    answer = request("county_comparison", "json", {"county_ids": [COUNTY, OTHER]}, claims=both)
    assert run(answer.body["id"]).body["status"] == "succeeded"
    look_at = look(answer.body["id"], "/download", claims=both)
    assert look_at.status == 303
    known, empty = document_of(answer.body["id"])["counties"]
    assert (known["study"]["ratio_study_id"], empty["study"], empty["parcels"]) == (study_id, None, None)


def document_of(report_id: str) -> dict[str, Any]:
    both = claims_of(counties=(COUNTY, OTHER))
    found: dict[str, Any] = json.loads(downloaded(look(report_id, "/download", claims=both)))
    return found


def test_who_may_not_read_every_county_neither_makes_nor_takes_the_comparison() -> None:
    add_county(OTHER)
    parameters = {"county_ids": [COUNTY, OTHER]}
    assert request("county_comparison", "pdf", parameters).status == 403
    both = claims_of(counties=(COUNTY, OTHER))
    report_id = request("county_comparison", "pdf", parameters, claims=both).body["id"]
    run(report_id)
    assert look(report_id, "/download").status == 403
    assert look(report_id, "/download", claims=both).status == 303


def test_a_comparison_names_two_counties_each_once() -> None:
    for county_ids in ([COUNTY], [COUNTY, COUNTY]):
        answer = request("county_comparison", "pdf", {"county_ids": county_ids})
        assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, "/body/parameters/county_ids")
