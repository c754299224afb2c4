"""Checks over a roll, waivers, certification, supplements and verification: through the handler and on PostgreSQL."""

import threading
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any
from uuid import uuid4

import boto3
import pytest
from sqlalchemy import insert, text, update

from functions.roll.handler import handler
from functions.roll.repository import certificates
from functions.roll.tasks import handler as task
from shared.access import Role
from shared.db import unit_of_work
from shared.db.engine import make_engine
from shared.db.models import (
    Appeal,
    Assessment,
    County,
    Exemption,
    ExemptionGrant,
    Improvement,
    NeighborhoodRatio,
    Owner,
    PropertyOperational,
    RejectedRow,
    Sale,
    SaleFlag,
)
from shared.rolls import closing
from tests.aws import BUCKET
from tests.conftest import MigratedDatabase
from tests.gateway import Answer, call, claims_of
from tests.integration.evidence_county import COUNTY, PROVENANCE, add_county
from tests.job_cloud import job_cloud, run_task  # noqa: F401 - a fixture

ONE = "/v1/counties/{county_id}/rolls/{roll_year}"
YEAR = 2025
ADA = claims_of(Role.ASSESSOR, username="ada")
PARCELS = 12


@pytest.fixture(autouse=True)
def county(database: MigratedDatabase, job_cloud: None) -> MigratedDatabase:  # noqa: F811
    add_county()
    numbers = range(PARCELS)
    add(
        PropertyOperational,
        [
            {
                "property_id": f"P{n:02}",
                "parcel_number": f"N{n:02}",
                "property_class": "residential",
                "neighborhood": "A",
                "tax_district": "1",
                "geometry": b"x",
                "longitude": 1.0,
                "latitude": 1.0,
            }
            for n in numbers
        ],
    )
    add(Improvement, [{"improvement_id": f"I{n:02}", "property_id": f"P{n:02}"} for n in numbers])
    add(Owner, [{"owner_id": f"O{n:02}", "property_id": f"P{n:02}", "name": "Somebody"} for n in numbers])
    add(Assessment, [assessment(n, year) for n in numbers for year in (YEAR - 1, YEAR)])
    add(
        Exemption,
        [
            {
                "exemption_id": "E1",
                "property_id": "P01",
                "exemption_type": "homestead",
                "amount": Decimal(50),
                "roll_year": YEAR,
            }
        ],
    )
    return database


# fmt: on


def assessment(number: int, year: int) -> dict[str, Any]:
    values = {
        "land_value": Decimal(100),
        "improvement_value": Decimal(200 + number),
        "total_value": Decimal(300 + number),
    }
    return {
        "assessment_id": f"A{number:02}-{year}",
        "property_id": f"P{number:02}",
        "roll_year": year,
        "assessed_value": Decimal(300 + number),
        **values,
    }


def add(model: type[Any], rows: list[dict[str, Any]]) -> None:
    with unit_of_work(COUNTY) as connection:
        synced = PROVENANCE if hasattr(model, "row_hash") and hasattr(model, "version") else {}
        connection.execute(insert(model), [{"county_id": COUNTY, **synced, **row} for row in rows])


def change(model: type[Any], key: dict[str, Any], **values: Any) -> None:
    with unit_of_work(COUNTY) as connection:
        connection.execute(update(model).filter_by(**key).values(**values))


def ask(
    method: str,
    path: str = "",
    body: object = None,
    *,
    query: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
    **parameters: str,
) -> Answer:
    path_parameters = {"county_id": COUNTY, "roll_year": str(YEAR), **parameters}
    return call(handler, method, ONE + path, path=path_parameters, body=body, query=query, headers=headers, claims=ADA)


def run(path: str, body: object = None, claims: dict[str, str] | None = None) -> dict[str, Any]:
    """Submit a job, run it, and answer its results, or the job where it failed."""
    submitted = ask("POST", path, body)
    assert submitted.status == 202, submitted.body
    return end(submitted.body)


def end(job: dict[str, Any]) -> dict[str, Any]:
    run_task(task, COUNTY, job["kind"], job["id"])
    collection = job["links"]["self"].split("/")[4]
    parameter = {
        "roll-checks": "check_run_id",
        "roll-certifications": "certification_id",
        "certificate-verifications": "verification_id",
    }[collection]
    template = f"/v1/counties/{{county_id}}/{collection}/{{{parameter}}}"
    path = {"county_id": COUNTY, parameter: job["id"]}
    ended = call(handler, "GET", template, path=path, claims=ADA).body
    if ended["status"] != "succeeded":
        return dict(ended)
    return dict(call(handler, "GET", template + "/results", path=path, claims=ADA).body)


def found() -> dict[str, int]:
    """The number of rows of each check that finds some."""
    return {each["name"]: each["rows"] for each in run("/checks")["checks"] if each["rows"]}


def rows_of(check: str) -> list[tuple[str, str | None, str]]:
    page = ask("GET", "/checks/{check_name}/rows", check_name=check).body
    return [(row["row_key"], row["property_id"], row["detail"]) for row in page["items"]]


def correct(number: int, value: int, reason: str = "a decision of the board") -> int:
    """Change an assessment of the closed roll by a numbered correction, as a sync or an appeal does."""
    with unit_of_work(COUNTY) as connection:
        correction_no = closing.begin_correction(
            connection, COUNTY, YEAR, by="ada", reason=reason, rows=1, sync_run_id=None
        )
        key = f"A{number:02}-{YEAR}"
        columns = (
            "assessment_id, property_id, roll_year, land_value, improvement_value, total_value, assessed_value,"
            " property_class, attributes, source_system, sync_run_id, row_hash, version, valid_from, retired_at"
        )
        connection.execute(
            text(
                f"INSERT INTO assessments_history (county_id, {columns}, valid_to)"
                f" SELECT county_id, {columns}, now() FROM assessments WHERE assessment_id = '{key}'"
            )
        )
        connection.execute(
            text(
                f"UPDATE assessments SET total_value = {value}, version = version + 1, valid_from = now()"
                f" WHERE assessment_id = '{key}'"
            )
        )
        connection.exec_driver_sql(closing.END_CORRECTIONS)
    return correction_no


def test_a_roll_without_faults_passes_every_check() -> None:
    assert found() == {}
    listed = ask("GET", "/checks").body
    assert len(listed) >= 19
    assert {each["rows"] for each in listed} == {0}
    assert {each["severity"] for each in listed} == {"blocks", "warns"}


def test_each_check_finds_its_rows() -> None:
    change(Assessment, {"assessment_id": f"A00-{YEAR}"}, total_value=0, land_value=None)
    change(Assessment, {"assessment_id": f"A01-{YEAR}"}, improvement_value=-1)
    change(Assessment, {"assessment_id": f"A02-{YEAR}"}, property_id="NOWHERE")
    change(Assessment, {"assessment_id": f"A03-{YEAR}"}, total_value=700_000)
    change(Assessment, {"assessment_id": f"A04-{YEAR}"}, property_class="vacant_land")
    change(PropertyOperational, {"property_id": "P05"}, parcel_number="N06", geometry=None, tax_district=None)
    change(PropertyOperational, {"property_id": "P06"}, neighborhood=None)
    change(Owner, {"owner_id": "O07"}, retired_at=datetime(2025, 1, 1, tzinfo=UTC))
    change(Improvement, {"improvement_id": "I08"}, retired_at=datetime(2025, 1, 1, tzinfo=UTC))
    change(Assessment, {"assessment_id": f"A08-{YEAR}"}, improvement_value=0)
    years = {"first_year": 2020, "last_year": 2024}
    add(ExemptionGrant, [grant(**years)])
    add(
        Sale,
        [
            {
                "sale_id": "S",
                "property_id": "P09",
                "sale_date": date(2024, 1, 1),
                "sale_price": 1,
                "validity_code": "valid",
            }
        ],
    )
    add(SaleFlag, [{"sale_id": "S", "rule": "nominal", "validation_id": uuid4(), "reason": "a dollar"}])
    add(Appeal, [appeal("filed")])
    add(
        RejectedRow,
        [
            {
                "run_id": uuid4(),
                "table_name": "assessments",
                "partition_no": 1,
                "source_key": "7",
                "source_row": {},
                "reasons": [],
                "read_run": uuid4(),
            }
        ],
    )
    study = uuid4()
    with unit_of_work(COUNTY) as connection:
        connection.execute(
            text(
                "INSERT INTO jobs (county_id, job_id, kind, status, parameters, request_digest, submitted_by)"
                " VALUES (:county_id, :job_id, 'ratio_study', 'succeeded', '{}', '', 'x')"
            ),
            {"county_id": COUNTY, "job_id": study},
        )
    add(
        NeighborhoodRatio,
        [
            {"study_id": study, "neighborhood": name, "sales": 30, "median": median}
            for name, median in (("A", 1.0), ("B", 0.85))
        ],
    )

    assert found() == {
        "no_value": 1,
        "no_land_value": 1,
        "negative_value": 1,
        "parcel_without_assessment": 1,
        "assessment_without_parcel": 1,
        "duplicate_parcel_number": 2,
        "vacant_with_building": 1,
        "improved_without_building": 1,
        "class_against_use": 1,
        "large_change_undecided": 1,
        "expired_exemption": 1,
        "parcel_without_shape": 1,
        "parcel_without_district": 1,
        "parcel_without_neighborhood": 1,
        "parcel_without_owner": 1,
        "ratio_out_of_range": 1,
        "rejected_row_open": 1,
        "appeal_open": 1,
        "sale_undecided": 1,
    }
    assert rows_of("large_change_undecided") == [(f"A03-{YEAR}", "P03", "from 303.00 to 700000.00")]
    assert rows_of("parcel_without_assessment") == [("P02", "P02", "parcel N02")]
    assert rows_of("duplicate_parcel_number")[0][2] == "parcel number N06"
    assert rows_of("expired_exemption")[0][:2] == ("E1", "P01")
    assert rows_of("ratio_out_of_range") == [("B", None, "median 0.850 of 30 sales")]


def grant(**values: Any) -> dict[str, Any]:
    return {
        "grant_id": uuid4(),
        "request_digest": "",
        "property_id": "P01",
        "exemption_type": "homestead",
        "rule": {},
        "status": "granted",
        "applicant": "x",
        "owners": [],
        "applied_by": "x",
        "version": 1,
        **values,
    }


def appeal(status: str) -> dict[str, Any]:
    return {
        "appeal_id": uuid4(),
        "request_digest": "",
        "roll_year": YEAR,
        "appeal_no": 1,
        "property_id": "P10",
        "status": status,
        "level": "informal",
        "petitioner": "x",
        "ground": "market_value",
        "statement": "x",
        "filed_on": date(2025, 3, 1),
        "late": False,
        "filed_by": "x",
        "version": 1,
    }


def test_an_exemption_that_was_granted_here_expires_with_its_renewal() -> None:
    years = {"first_year": 2020, "last_year": 2030}
    add(ExemptionGrant, [grant(**years, property_id="P04", renewal_year=YEAR)])
    add(ExemptionGrant, [grant(**years, property_id="P05", renewal_year=YEAR + 1)])
    assert found() == {"expired_exemption": 1}
    assert [row[1:] for row in rows_of("expired_exemption")] == [("P04", "homestead, renewal due 2025")]


def test_a_certification_that_is_killed_before_its_end_leaves_the_roll_open_and_is_done_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Killed(BaseException):
        """The end of a process."""

    def kill(*_: object) -> None:
        raise Killed

    job = ask("POST", "/certify", {}).body
    with monkeypatch.context() as patch:
        patch.setattr(certificates, "add", kill)  # the manifest is in the bucket by then
        with pytest.raises(Killed):
            run_task(task, COUNTY, job["kind"], job["id"])
    assert ask("GET").body["status"] == "open"
    assert end(job)["sha256"] in stored_manifests()
    assert verified() == []


@pytest.mark.parametrize(
    ("rule", "rows"),
    [
        ({"rule": "required", "field": "situs_address"}, PARCELS),
        ({"rule": "range", "field": "total_value", "max": "305"}, 6),
        ({"rule": "range", "field": "last_sale_date", "max": "today"}, 0),
        ({"rule": "allowed", "field": "neighborhood", "values": ["B:1", "C'"]}, PARCELS),
        ({"rule": "matches", "field": "parcel_number", "pattern": "N0[0-9]"}, 2),
        ({"rule": "compare", "field": "land_value", "operator": "<", "other": "improvement_value"}, 0),
        ({"rule": "compare", "field": "total_value", "operator": "==", "other": "prior_total_value"}, 0),
        ({"rule": "total", "field": "total_value", "parts": ["land_value", "improvement_value"]}, 0),
        ({"rule": "unique", "fields": ["neighborhood"]}, PARCELS),
    ],
)  # fmt: skip
def test_a_countys_own_check_is_a_rule_of_mappings(rule: dict[str, Any], rows: int) -> None:
    check = {"name": "own", "title": "Ours", "severity": "blocks", "rule": rule}
    change(County, {"county_id": COUNTY}, configuration={"plugin_settings": {"roll": {"checks": [check]}}})
    assert found() == ({"county_own": rows} if rows else {})


def test_a_check_that_blocks_keeps_a_roll_open_until_its_rows_are_waived_with_a_reason() -> None:
    change(Assessment, {"assessment_id": f"A00-{YEAR}"}, land_value=0)
    change(Assessment, {"assessment_id": f"A01-{YEAR}"}, land_value=0)
    refused = run("/certify", {})
    assert (refused["status"], refused["error"]["type"]) == ("failed", "roll-not-certifiable")
    assert "Parcels without a land value (2)" in refused["error"]["detail"]
    assert ask("GET").body["status"] == "open"
    assert ask("GET", "/certificate").status == 404

    waiver = {"check_name": "no_land_value", "row_key": f"A00-{YEAR}", "reason": "a condominium: no land of its own"}
    key = {"Idempotency-Key": "w"}
    made, again = (ask("POST", "/waivers", waiver, headers=key) for _ in range(2))
    assert (made.status, made.body) == (201, again.body)
    assert ask("POST", "/waivers", waiver).status == 409
    assert ask("POST", "/waivers", {"check_name": "nothing", "reason": "x"}).status == 404
    assert run("/certify", {})["status"] == "failed"

    whole = {"check_name": "no_land_value", "reason": "all of them are condominiums"}
    assert ask("POST", "/waivers", whole).status == 201
    statement = run("/certify", {"reason": "certified to the treasurer"})["statement"]
    assert [each["reason"] for each in statement["waivers"]] == [waiver["reason"], whole["reason"]]
    assert {each["name"]: each["waived"] for each in statement["checks"]}["no_land_value"] == 2
    assert ask("GET").body["status"] == "closed"


@pytest.mark.parametrize(("path", "body"), [("/checks", None), ("/certify", {}), ("/certificate/verify", None)])
def test_a_request_that_is_sent_twice_makes_one_job(path: str, body: object) -> None:
    run("/certify", {})
    key = {"Idempotency-Key": "k"}
    first, second = (ask("POST", path, body, headers=key).body for _ in range(2))
    assert first["id"] == second["id"]


def test_a_certified_roll_is_not_opened_again() -> None:
    run("/certify", {})
    refused = ask("POST", "/reopen", {"reason": "by mistake"})
    assert (refused.status, refused.body["type"].rpartition(":")[2]) == (409, "roll-certified")


def test_a_withdrawn_waiver_waives_nothing_and_stays_on_record() -> None:
    change(Assessment, {"assessment_id": f"A00-{YEAR}"}, land_value=0)
    made = ask("POST", "/waivers", {"check_name": "no_land_value", "reason": "x"}).body
    assert run("/checks")["certifiable"] is True
    for _ in range(2):
        assert ask("DELETE", "/waivers/{waiver_id}", waiver_id=made["waiver_id"]).status == 204
    assert run("/checks")["certifiable"] is False
    (kept,) = ask("GET", "/waivers").body
    assert kept["withdrawn_by"] == "ada"


def test_a_certificate_is_verified_with_its_supplements_and_they_come_to_the_roll_of_now() -> None:
    certificate = run("/certify", {})
    assert certificate["statement"]["totals"]["assessments"] == PARCELS
    assert certificate["statement"]["totals"]["total_value"] == "3666.00"
    assert stored_manifests() == {certificate["sha256"]}
    assert verified() == []

    for number, value in ((1, 500), (2, 600), (1, 700)):
        correct(number, value)
    assert verified() == []  # supplements without a certificate stand beside what is certified
    again = run("/certify", {})
    assert again["sha256"] == certificate["sha256"]
    assert [each["statement"]["supplement_no"] for each in again["supplements"]] == [1, 2, 3]
    assert again["supplements"][2]["statement"]["total_after"] == "4363.00"
    assert again["uncertified_supplements"] == 0
    assert len(stored_manifests()) == 4
    assert verified() == []
    assert run("/certify", {}) == again == ask("GET", "/certificate").body


def stored_manifests() -> set[str]:
    """The digests of the manifests in the bucket."""
    s3 = boto3.client("s3")
    listed = s3.list_objects_v2(Bucket=BUCKET, Prefix=f"counties/{COUNTY}/records/certificates/").get("Contents", [])
    return {sha256(s3.get_object(Bucket=BUCKET, Key=each["Key"])["Body"].read()).hexdigest() for each in listed}


def verified() -> list[str]:
    outcome = run("/certificate/verify")
    assert outcome["intact"] is not bool(outcome["findings"])
    return list(outcome["findings"])


def test_a_row_that_the_owner_of_the_tables_changes_is_named(county: MigratedDatabase) -> None:
    run("/certify", {})
    engine = make_engine(county.owner_url)
    with engine.begin() as connection:
        connection.execute(text(f"SET LOCAL app.county_id = '{COUNTY}'"))
        connection.execute(text("ALTER TABLE assessments DISABLE TRIGGER USER"))
        connection.execute(text(f"UPDATE assessments SET total_value = 1 WHERE assessment_id = 'A03-{YEAR}'"))
    engine.dispose()
    findings = verified()
    assert len(findings) == 3
    assert "totals" in findings[0]
    assert all("A03-2025" in finding for finding in findings[1:])


def test_a_roll_that_is_certified_twice_at_once_has_one_certificate_which_both_are_answered() -> None:
    submitted = [ask("POST", "/certify", {}).body for _ in range(2)]
    gate, results = threading.Barrier(2), {}

    def certify(job: dict[str, Any]) -> None:
        gate.wait()
        results[job["id"]] = run_task(task, COUNTY, job["kind"], job["id"])

    threads = [threading.Thread(target=certify, args=(job,)) for job in submitted]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(map(str, results.values())) == {"{'status': 'succeeded'}"}
    first, second = (end(job) for job in submitted)
    assert first == second
    assert len(stored_manifests()) == 1


def test_the_manifest_is_handed_out_and_only_who_approves_values_certifies() -> None:
    for role in (Role.AUDITOR, Role.VALUATION_STAFF):
        refused = call(
            handler,
            "POST",
            ONE + "/certify",
            path={"county_id": COUNTY, "roll_year": str(YEAR)},
            body={},
            claims=claims_of(role),
        )
        assert refused.status == 403
    run("/certify", {})
    assert ask("GET", "/certificate/manifest").status == 303
    assert ask("GET", "/certificate/manifest", query={"supplement": "4"}).status == 404


def test_a_roll_is_compared_with_another_years_by_reason() -> None:
    change(Assessment, {"assessment_id": f"A00-{YEAR}"}, total_value=1000)
    change(Assessment, {"assessment_id": f"A01-{YEAR}"}, assessed_value=251)
    change(Assessment, {"assessment_id": f"A02-{YEAR}"}, retired_at=datetime(2025, 1, 1, tzinfo=UTC))
    change(Assessment, {"assessment_id": f"A03-{YEAR}"}, total_value=1003, source_system="terrafusion")
    change(Assessment, {"assessment_id": f"A04-{YEAR - 1}"}, retired_at=datetime(2025, 1, 1, tzinfo=UTC))
    change(Assessment, {"assessment_id": f"A10-{YEAR}"}, total_value=210)
    add(Appeal, [{**appeal("decided"), "outcome": "reduced"}])
    compared = ask("GET", "/compare", query={"with": str(YEAR - 1)}).body
    assert {(each["reason"], each["assessments"], each["total_value"]) for each in compared["reasons"]} == {
        ("sync", 1, "700.00"),
        ("exemption", 1, "0.00"),
        ("retired", 1, "-302.00"),
        ("model", 1, "700.00"),
        ("new", 1, "304.00"),
        ("appeal", 1, "-100.00"),
    }
    difference = Decimal(compared["after"]["total_value"]) - Decimal(compared["before"]["total_value"])
    assert difference == sum(Decimal(each["total_value"]) for each in compared["reasons"])
    assert compared["unchanged"] == PARCELS - 6
    assert ask("GET", "/compare", query={"with": str(YEAR)}).status == 422
    assert ask("GET", "/compare", query={"with": "1990"}).status == 404
    path = {"county_id": "lucas_oh", "roll_year": str(YEAR)}
    foreign = call(handler, "GET", ONE + "/compare", path=path, query={"with": str(YEAR - 1)}, claims=ADA)
    assert foreign.status == 403
