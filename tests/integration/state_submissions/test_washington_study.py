"""Washington's study of a county of 60 sales: totals by hand, the same in SQL, the package, and what is refused."""

import csv
import hashlib
import io
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from zipfile import ZipFile

import boto3
import pytest
from openpyxl import load_workbook
from sqlalchemy import text

from functions.state_submissions.handler import handler
from functions.state_submissions.tasks import handler as task
from shared.access import Role
from shared.db import unit_of_work
from tests.aws import BUCKET, aws_in_this_process
from tests.conftest import MigratedDatabase
from tests.gateway import Answer, call, claims_of
from tests.integration.evidence_county import COUNTY
from tests.integration.state_submissions.study_county import (
    DECIDED_INVALID,
    SETTINGS,
    Case,
    add_study,
    decide_invalid,
    sixty_sales,
)
from tests.job_cloud import run_task

ALL = "/v1/counties/{county_id}/state-submissions"
ONE = ALL + "/{submission_id}"

BY_HAND = {
    # 30 at 190,000 and one at 49,500; 31 prices of 200,000 less 1 % are 198,000 each
    "Residential to 300,000": (31, "5749500.00", "6138000.00"),
    # 14 at 380,000 and one at 346,500; 14 prices of 400,000 and one of 200,000 less 1 %
    "Residential above": (15, "5666500.00", "5742000.00"),
    # 4 at 900,000; 4 prices of 1,000,000 less 1 %
    "Commercial": (4, "3600000.00", "3960000.00"),
    "Manufacturing": (0, "0", "0"),
}
"""Sales, assessed value and adjusted price of each stratum."""

IN_SQL = """
WITH sale AS (
    SELECT a.assessed_value AS av, round(s.sale_price * 99 / 100, 2) AS adjusted,
        CASE WHEN p.attributes ->> 'land_use' = '52' THEN 'Commercial'
            WHEN a.assessed_value <= 300000 THEN 'Residential to 300,000' ELSE 'Residential above' END AS stratum
    FROM sales s JOIN properties_operational p USING (county_id, property_id)
    JOIN assessments a ON a.property_id = p.property_id AND a.roll_year = 2025
    WHERE s.sale_date > '2024-04-30' AND s.sale_date < '2025-05-01' AND s.deed_type IN ('WD', 'REC')
        AND s.validity_code = 'valid'
        AND NOT EXISTS (SELECT FROM sale_decisions d WHERE d.sale_id = s.sale_id AND d.decision = 'invalid')
), outside AS (
    SELECT count(*) FILTER (WHERE av * 100 < adjusted * 25 OR av * 100 > adjusted * 175) AS n, count(*) AS of FROM sale
)
SELECT stratum, count(*), sum(av), sum(adjusted) FROM sale, outside
WHERE n * 20 > of OR (av * 100 >= adjusted * 25 AND av * 100 <= adjusted * 175) GROUP BY stratum
"""
"""The same by another way: SQL on the tables."""


@pytest.fixture(autouse=True)
def cloud(database: MigratedDatabase, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with aws_in_this_process(monkeypatch, "jobs"):
        yield


def asked(method: str, resource: str = ONE, submission_id: str | None = None, **options: Any) -> Answer:
    path = {"county_id": COUNTY} | ({} if submission_id is None else {"submission_id": submission_id})
    return call(handler, method, resource, path=path, claims=claims_of(Role.ASSESSOR), **options)


def submitted(year: int = 2025) -> dict[str, Any]:
    """The results of a submission, with its `id`."""
    answer = asked("POST", ALL, body={"assessment_year": year})
    assert answer.status == 202, answer.body
    submission_id = answer.body["id"]
    assert run_task(task, COUNTY, "state_submission", submission_id) == {"status": "succeeded"}
    results = asked("GET", ONE + "/results", submission_id)
    assert results.status == 200, results.body
    return {**results.body, "id": submission_id}


def package_of(results: dict[str, Any]) -> dict[str, bytes]:
    """The files of a package by name."""
    key = f"counties/{COUNTY}/jobs/{results['id']}/{results['file']['filename']}"
    body = boto3.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()
    with ZipFile(io.BytesIO(body)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def with_sixty_sales() -> dict[str, Any]:
    add_study(sixty_sales())
    decide_invalid(f"S{DECIDED_INVALID}")
    return submitted()


def test_the_totals_are_those_that_were_computed_by_hand_and_in_sql() -> None:
    results = with_sixty_sales()
    assert (results["sales"], results["valid"], results["invalid"], results["refused"]) == (58, 50, 8, [])
    assert not results["outliers_kept"]
    figures = {
        own["stratum"]: (own["sales"], own["assessed_value"], own["adjusted_price"]) for own in results["strata"]
    }
    assert figures == BY_HAND
    with unit_of_work(COUNTY) as connection:
        computed = {row[0]: (row[1], str(row[2]), str(row[3])) for row in connection.execute(text(IN_SQL))}
    assert computed == {name: own for name, own in BY_HAND.items() if own[0]}


def test_each_figure_is_traced_to_its_sales() -> None:
    results = with_sixty_sales()
    traced = rows_of(package_of(results)["trace.csv"])
    for own in results["strata"]:
        ids = [row["sale_id"] for row in traced if row["report"] == "valid" and row["stratum"] == own["stratum"]]
        assert sorted(own["sale_ids"]) == sorted(ids)
        assert len(ids) == own["sales"]
    assert len(traced) == 58
    assert {row["sale_id"] for row in traced}.isdisjoint({"S58", "S59"}), "sales outside of the period"


def test_invalid_sales_have_the_number_of_their_reason() -> None:
    """Ratios of 24.99 and 175.01 percent have Washington's 8; those of 25 and 175 percent are valid."""
    traced = {row["sale_id"]: row for row in rows_of(package_of(with_sixty_sales())["trace.csv"])}
    numbers = {f"S{number}": traced[f"S{number}"]["reason_number"] for number in range(48, 58)}
    assert numbers == {
        "S48": "8",
        "S49": "",
        "S50": "",
        "S51": "8",
        "S52": "1",
        "S53": "1",
        "S54": "10",
        "S55": "9",
        "S56": "27",
        "S57": "26",
    }


def test_one_more_outlier_is_more_than_five_percent_and_all_of_them_stay() -> None:
    """Two of 52 valid sales are 3.8 percent, three of 53 are 5.7 (WAC 458-53-070(4))."""
    cases = sixty_sales()
    cases[-1] = Case("10000")
    add_study(cases)
    decide_invalid(f"S{DECIDED_INVALID}")
    results = submitted()
    assert (results["valid"], results["invalid"], results["outliers_kept"]) == (53, 6, True)
    with unit_of_work(COUNTY) as connection:
        computed = {row[0]: (row[1], str(row[2]), str(row[3])) for row in connection.execute(text(IN_SQL))}
    figures = {
        own["stratum"]: (own["sales"], own["assessed_value"], own["adjusted_price"]) for own in results["strata"]
    }
    assert {name: own for name, own in figures.items() if own[0]} == computed


def test_the_report_of_valid_sales_has_the_ten_columns_of_the_code() -> None:
    rows = rows_of(package_of(with_sixty_sales())["valid_sales.csv"])
    assert list(rows[0].values()) == [
        "E0000",
        "WD",
        "1-P00",
        "2024-05-01",
        "200000.00",
        "198000.00",
        "11",
        "190000.00",
        "180000.00",
        "95.9596",
    ]
    assert len(rows) == 50


def test_the_summary_and_the_abstract_are_by_stratum() -> None:
    """Parcels of the roll: those of the 60 sales and two more; one of land use 88 is left out, one is in no stratum.

    To 300,000: 30, the two at the lower limits of ratios, six invalid ones, two outside of the period and one unsold.
    """
    results = with_sixty_sales()
    package = package_of(results)
    summary = {row["stratum"]: row for row in rows_of(package["summary.csv"])}
    low = summary["Residential to 300,000"]
    assert (low["average_assessed_value"], low["average_adjusted_sale_price"]) == ("185467.74", "198000.00")
    assert low["ratio"] == "93.700"
    assert summary["Manufacturing"]["average_assessed_value"] == ""
    abstract = {row["stratum"]: row for row in rows_of(package["abstract.csv"])}
    counts = {name: int(row["number_of_parcels"]) for name, row in abstract.items()}
    assert counts == {
        "Residential to 300,000": 41,
        "Residential above": 16,
        "Commercial": 5,
        "Manufacturing": 0,
    }
    assert abstract["Commercial"]["assessed_value"] == "4300000.00"
    assert results["parcels_outside_strata"] == 1


def test_the_indicated_ratio_weighs_strata_by_their_value_on_the_roll() -> None:
    """Roll values: 30 + 6 + 2 at 190,000, 49,480.20, 49,500 and 250,000 are 7,568,980.20; 14 at 380,000, 346,500 and
    346,519.80 are 6,013,019.80; commercial 4,300,000. Ratios .937, .987 and .909: indicated 8,077,887.09 + 6,092,218.64
    + 4,730,473.05 = 18,900,578.78; the roll of 17,882,000 over it is 94.6 percent.
    """
    results = with_sixty_sales()
    assert results["indicated_ratio"] == "94.6"
    assert [own["ratio"] for own in results["strata"]] == ["93.700", "98.700", "90.900", None]


def test_the_manifest_has_the_digest_of_every_file_and_the_certificate_is_a_pdf() -> None:
    results = with_sixty_sales()
    package = package_of(results)
    manifest = json.loads(package["manifest.json"])
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in package.items()}
    assert {own["name"]: own["sha256"] for own in results["files"]} == digests
    assert {own["name"]: own["sha256"] for own in manifest["files"]} == {
        name: digest for name, digest in digests.items() if name != "manifest.json"
    }
    assert manifest["results"]["strata"][0]["sale_ids"] == results["strata"][0]["sale_ids"]
    assert manifest["settings"]["strata"][0]["name"] == "Residential to 300,000"
    assert package["certificate.pdf"].startswith(b"%PDF")
    sheet = load_workbook(io.BytesIO(package["valid_sales.xlsx"])).worksheets[0]
    assert [cell.value for cell in sheet[2]][4:6] == [200000, 198000]
    assert asked("GET", ONE + "/download", results["id"]).status == 303


REFUSED = [
    (Case("190000", reet=None), "it has no excise tax affidavit number"),
    (Case("190000", deed=""), "it has no instrument"),
    (Case("190000", land_use=""), "it has no land use code"),
    (Case("190000", previous=None), "it has no previous year's assessed value"),
    (Case("190000", "0"), "it has no price"),
    (Case("190000", land_use="99"), "it is in no stratum: land use 99 and value 190,000.00"),
    (Case("300000.005", land_use="99"), "it is in no stratum: land use 99 and value 300,000.01"),
    (Case("190000", deed="TRD"), "its instrument TRD is neither considered nor has a number of a reason"),
    (Case("190000", validity="unverified"), "it is unverified, for which the settings have no number of a reason"),
]


def test_a_sale_without_what_the_form_asks_for_is_refused_with_its_reason_and_there_is_no_package() -> None:
    add_study([Case("190000"), *(case for case, _ in REFUSED)])
    results = submitted()
    assert [own["reasons"] for own in results["refused"]] == [[reason] for _, reason in REFUSED]
    assert [own["sale_id"] for own in results["refused"]] == [f"S{n:02}" for n in range(1, len(REFUSED) + 1)]
    assert (results["file"], results["files"]) == (None, [])
    refused = asked("GET", ONE + "/download", results["id"])
    assert (refused.status, refused.body["type"].rpartition(":")[2]) == (409, "sales-refused")


def test_a_sale_in_two_strata_is_refused() -> None:
    overlapping = [*SETTINGS["strata"], {"name": "Condominiums", "land_use_codes": ["14"]}]
    add_study([Case("190000"), Case("190000", land_use="14")], SETTINGS | {"strata": overlapping})
    (refused,) = submitted()["refused"]
    assert refused["reasons"] == [
        "it is in Residential to 300,000 and in Condominiums: land use 14 and value 190,000.00"
    ]


def test_a_county_without_a_states_form_is_refused() -> None:
    add_study([Case("190000")], {})
    answer = asked("POST", ALL, body={"assessment_year": 2025})
    assert (answer.status, answer.body["type"].rpartition(":")[2]) == (409, "no-state-submission")


def test_the_same_request_again_finds_the_same_job() -> None:
    add_study([Case("190000")])
    options: dict[str, Any] = {"headers": {"Idempotency-Key": "once"}}
    answers = [asked("POST", ALL, body={"assessment_year": 2025}, **options) for _ in range(2)]
    assert len({answer.body["id"] for answer in answers}) == 1
    assert asked("POST", ALL, body={"assessment_year": 2024}, **options).status == 422


def test_a_job_that_ends_before_its_file_is_kept_leaves_none_and_makes_it_when_it_runs_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from functions.state_submissions.service import build

    add_study(sixty_sales())
    submission_id = asked("POST", ALL, body={"assessment_year": 2025}).body["id"]
    with monkeypatch.context() as patch:
        patch.setattr(build, "write_package", lambda *_: (_ for _ in ()).throw(RuntimeError("gone")))
        with pytest.raises(RuntimeError):
            run_task(task, COUNTY, "state_submission", submission_id)
    listing = boto3.client("s3").list_objects_v2(Bucket=BUCKET, Prefix=f"counties/{COUNTY}/jobs")
    assert "Contents" not in listing
    assert run_task(task, COUNTY, "state_submission", submission_id) == {"status": "succeeded"}


def test_formulas_and_markup_of_the_county_are_texts() -> None:
    hostile = Case("190000", attributes={"reet": "x"}, reet="=1+1<b>#")
    settings = SETTINGS | {"strata": [{"name": "=cmd|' #panic()", "land_use_codes": ["11", "52", "88", "99"]}]}
    add_study([hostile], settings)
    package = package_of(submitted())
    assert rows_of(package["valid_sales.csv"])[0]["excise_tax_affidavit_number"].startswith("'=1+1")
    sheet = load_workbook(io.BytesIO(package["valid_sales.xlsx"])).worksheets[0]
    assert (sheet["A2"].value, sheet["A2"].data_type) == ("=1+1<b>#0000", "s")
    assert Decimal(rows_of(package["summary.csv"])[0]["assessed_value"]) == 190_000
