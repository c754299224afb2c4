"""Requests that Schemathesis makes of the served OpenAPI document, in all its phases, by every role."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto.cognitoidp.responses import CognitoIdpResponse
from moto.core.responses import EmptyResult
from sqlalchemy import update

from infra.examples.counties import configuration_text, mapping_text
from shared.access import Role
from shared.db import unit_of_work
from shared.db.models import County
from tests.aws import aws_in_this_process, make_machine
from tests.conftest import MigratedDatabase
from tests.figures import RecordFigure
from tests.integration.evidence_county import COUNTY, add_county, add_evidence
from tests.served_api import InProcess, access_token, served_api

pytestmark = pytest.mark.long

MIN_CALLS = 10_000
EXAMPLES = 20
REQUEST_SECONDS = 20
"""Without an answer for so long a request hangs."""
CONFIGURATION = """
[parameters]  # half of the calls would be of counties that nobody has
"path.county_id" = "king_wa"
[checks]
unsupported_method.enabled = false        # an unknown method of a known path is 404: see the decisions
positive_data_acceptance.enabled = false  # a described request may be of a row that does not exist
missing_required_header.expected-statuses = ["428", "400", "401", "403", "404", "422"]
[[operations]]
include-name = "POST /v1/counties/{county_id}/mapping/preview"
checks.not_a_server_error.expected-statuses = ["2xx", "4xx", "502"]  # the county's own system, which is not there
"""
CALLS: Counter[str] = Counter()


@pytest.fixture
def api(
    database: MigratedDatabase, assemblies: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[str, InProcess]]:
    """The API on a county with parcels and sales."""
    with aws_in_this_process(monkeypatch, "jobs"):
        make_machine(monkeypatch, "sync")
        cognito = boto3.client("cognito-idp")
        pool = cognito.create_user_pool(PoolName="p")["UserPool"]["Id"]
        client = cognito.create_user_pool_client(UserPoolId=pool, ClientName="c")["UserPoolClient"]["ClientId"]
        monkeypatch.setenv("USER_POOL_ID", pool)
        monkeypatch.setenv("USER_POOL_CLIENT_ID", client)
        monkeypatch.setattr(CognitoIdpResponse, "revoke_token", lambda _: EmptyResult(), raising=False)
        add_county()
        add_evidence()
        with unit_of_work(COUNTY) as connection:
            described = {"configuration": json.loads(configuration_text(COUNTY)), "mapping": mapping_text(COUNTY)}
            connection.execute(update(County).values(described))
        with served_api(assemblies) as served:
            yield served


@pytest.mark.parametrize("role", Role)
def test_no_described_request_is_a_failure_of_ours(
    api: tuple[str, InProcess], role: Role, tmp_path: Path, figure: RecordFigure
) -> None:
    address, functions = api
    (tmp_path / "schemathesis.toml").write_text(CONFIGURATION)
    done = subprocess.run(
        [
            *(str(Path(sys.executable).with_name("st")), "--config-file", "schemathesis.toml"),
            *("run", f"{address}/v1/openapi.json", "--url", address, "--no-color"),
            *("--header", f"Authorization: Bearer {access_token(role, COUNTY)}"),
            *("--phases", "examples,coverage,fuzzing,stateful", "--max-examples", str(EXAMPLES)),
            *("--request-timeout", str(REQUEST_SECONDS), "--continue-on-failure", "--seed", "1"),
            *("--generation-database", "none", "--suppress-health-check", "all", "--no-shrink"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    CALLS[role] = len(functions.seconds)
    figure(f"calls by {role.value}", len(functions.seconds))
    figure(f"longest answer to {role.value}", max(functions.seconds), "s", limit=REQUEST_SECONDS)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2000:]


def test_there_were_as_many_as_are_promised(figure: RecordFigure) -> None:
    figure("calls of all roles", sum(CALLS.values()))
    assert sum(CALLS.values()) >= MIN_CALLS
