"""Every value of Lucas County goes back to its legacy system, and the next sync finds no difference.

22,878 approved values, written by carrying out the script with psql on the county's iasWorld; one row that changed in
between is reported, and not overwritten.
"""

import json
import subprocess
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import boto3
import pytest
from pg8000.native import Connection
from sqlalchemy import text
from sqlalchemy.engine import URL

from functions.sync.tasks import machine
from functions.valuation.repository import approvals
from functions.valuation.schemas.runs import ApprovalFilter
from functions.write_back.handler import handler
from functions.write_back.tasks import handler as task
from infra.examples import legacy
from infra.examples.counties import configuration_text, mapping_text
from infra.local.postgres import LocalPostgres
from infra.local.postgres_binaries import program_folder
from shared.access import Role
from shared.db import unit_of_work
from shared.settings import settings
from tests.aws import BUCKET, aws_in_this_process, make_machine
from tests.conftest import MigratedDatabase
from tests.figures import RecordFigure
from tests.gateway import LambdaContext, call, claims_of
from tests.integration.sync.plain_connection import connect
from tests.integration.sync.sync_steps import carry_out
from tests.job_cloud import run_task

pytestmark = pytest.mark.long

COUNTY = "lucas_oh"
PARCELS = 22_878
ROLL_YEAR = 1998
CHANGED = "LC000801"
"""A parcel of which somebody changes the value in the legacy system between the job and the script."""
WRITE_BACKS = "/v1/counties/{county_id}/write-backs"


@pytest.fixture
def source(
    postgres_server: LocalPostgres, database: MigratedDatabase, monkeypatch: pytest.MonkeyPatch
) -> Iterator[URL]:
    """The county with its own legacy database, onboarded."""
    monkeypatch.setenv("EVENT_BUS_NAME", "terrafusion")
    name = f"{database.name}_legacy"
    url = legacy.build_county(postgres_server.owner_url("postgres"), COUNTY, name)
    with aws_in_this_process(monkeypatch, "sync"):
        make_machine(monkeypatch, "jobs")
        settings.cache_clear()
        boto3.client("events").create_event_bus(Name="terrafusion")
        secret = {"host": url.host, "port": url.port, "dbname": name, "username": url.username}
        boto3.client("secretsmanager").create_secret(
            Name=f"terrafusion/{COUNTY}/source",
            SecretString=json.dumps({**secret, "password": url.password, "sslmode": "disable"}),
        )
        with unit_of_work(COUNTY) as connection:
            connection.execute(
                text(
                    "INSERT INTO counties (county_id, friendly_name, configuration, mapping, version)"
                    " VALUES (:county, 'Lucas', CAST(:configuration AS jsonb), :mapping, 1)"
                ),
                {"county": COUNTY, "configuration": configuration_text(COUNTY), "mapping": mapping_text(COUNTY)},
            )
        yield url
    postgres_server.drop_database(name)


def sync() -> str:
    """Run a whole sync; its id."""
    name = f"execution-{uuid4()}"
    event = {"county_id": COUNTY, "execution": {"id": f"arn:{name}", "name": name}}
    run_id: str = machine.plan(event, LambdaContext())["run_id"]
    carry_out(COUNTY, run_id)
    return run_id


def approve_all() -> UUID:
    """Approve a value for every parcel that has one: a tenth more than the county's, in whole dollars."""
    run_id, approval_id = uuid4(), uuid4()
    with unit_of_work(COUNTY) as connection:
        connection.execute(
            text(
                "INSERT INTO valuation_run_results (county_id, run_id, property_id, partition_no, estimate, review,"
                " flags) SELECT county_id, :run, property_id, 1, round(total_value * 1.1) + 1, false, '[]'"
                " FROM assessments WHERE total_value > 0 AND retired_at IS NULL"
            ),
            {"run": run_id},
        )
        chosen: dict[str, Any] = {
            "run_id": run_id,
            "roll_year": ROLL_YEAR,
            "approval_filter": ApprovalFilter(),
            "by": "an assessor",
        }
        posted = approvals.post(connection, COUNTY, approval_id, assessment_ratio=Decimal("0.35"), **chosen)
        approvals.add(connection, COUNTY, approval_id, posted=posted, **chosen)
    assert posted.assessments == PARCELS
    return run_id


def written_back(run_id: UUID) -> dict[str, Any]:
    path, claims = {"county_id": COUNTY}, claims_of(Role.ASSESSOR, [COUNTY])
    body = {"valuation_run_id": str(run_id)}
    write_back_id = call(handler, "POST", WRITE_BACKS, path=path, body=body, claims=claims).body["id"]
    assert run_task(task, COUNTY, "write_back", write_back_id) == {"status": "succeeded"}
    one = path | {"write_back_id": write_back_id}
    results = call(handler, "GET", f"{WRITE_BACKS}/{{write_back_id}}/results", path=one, claims=claims).body
    return {**results, "id": write_back_id}


def carried_out(url: URL, results: dict[str, Any]) -> list[str]:
    """Carry out the script by psql; what it reports."""
    key = f"counties/{COUNTY}/jobs/{results['id']}/{results['file']['filename']}"
    script = boto3.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()
    options = ["--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set", "ON_ERROR_STOP=1", "--file", "-"]
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    psql = str(program_folder(Path("/nonexistent")) / "psql")
    done = subprocess.run([psql, *options, address], input=script, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().splitlines()


def values(legacy_system: Connection) -> dict[str, tuple[str, str]]:
    """Total and assessed value of each parcel, in the legacy system."""
    rows = legacy_system.run(
        "SELECT parid, valapr3, valasm3 FROM asmt_all WHERE cur = 'Y' AND deactivat = '' AND rolltype = 'RP'"
        f" AND taxyr = '{ROLL_YEAR}'"
    )
    return {row[0]: (row[1], row[2]) for row in rows or ()}


def decided() -> dict[str, tuple[str, str]]:
    """The same of the platform's roll."""
    with unit_of_work(COUNTY) as connection:
        rows = connection.execute(
            text(
                "SELECT property_id, trim_scale(total_value), trim_scale(assessed_value) FROM assessments"
                " WHERE roll_year = :year AND retired_at IS NULL"
            ),
            {"year": ROLL_YEAR},
        )
        return {row[0]: (str(row[1]), str(row[2])) for row in rows}


def scalar(statement: str, **parameters: Any) -> Any:
    with unit_of_work(COUNTY) as connection:
        return connection.scalar(text(statement), parameters)


def test_all_values_of_a_county_go_back_and_the_next_sync_finds_no_difference(
    source: URL, figure: RecordFigure
) -> None:
    sync()
    run_id = approve_all()
    approved = decided()
    began = time.monotonic()
    results = written_back(run_id)
    figure("write-back of a county", time.monotonic() - began, "s")
    assert (results["rows"], results["changed"]) == (PARCELS, 2 * PARCELS), "total and assessed value of each"
    assert (results["changed_in_between"], results["not_in_source"], results["not_invertible"]) == (0, 0, 0)

    legacy_system = connect(source)
    legacy_system.run(f"UPDATE asmt_all SET valapr3 = '12345' WHERE parid = '{CHANGED}' AND cur = 'Y'")
    began = time.monotonic()
    reported = carried_out(source, results)
    figure("script of a county", time.monotonic() - began, "s")
    assert [line.split("|")[1] for line in reported[1:]] == [f"assessments {CHANGED}-{ROLL_YEAR}"]
    written = values(legacy_system)
    assert {key: own for key, own in written.items() if approved.get(key) != own} == {
        CHANGED: ("12345", written[CHANGED][1])
    }
    assert carried_out(source, results)[1:] == reported[1:], "the second time nothing more is written"
    assert values(legacy_system) == written

    legacy_system.run(
        f"UPDATE asmt_all SET valapr3 = '{approved[CHANGED][0]}', valasm3 = '{approved[CHANGED][1]}'"
        f" WHERE parid = '{CHANGED}' AND cur = 'Y'"
    )
    legacy_system.close()
    proof = sync()
    assert decided() == approved
    assert scalar("SELECT count(*) FROM sync_findings WHERE run_id = CAST(:id AS uuid)", id=proof) == 0
    standing = "SELECT count(*) FROM field_overrides WHERE table_name = 'assessments' AND ended_at IS NULL"
    assert scalar(standing) == 0
    agreeing = "SELECT count(*) FROM field_overrides WHERE table_name = 'assessments' AND ended_why = 'source_agrees'"
    assert scalar(agreeing) == 2 * PARCELS
    again = written_back(run_id)
    assert (again["rows"], again["changed"]) == (0, 0)
