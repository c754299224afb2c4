"""Requests that Schemathesis makes of the served OpenAPI document: in all its phases by one role, and by every role."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.access import Role
from tests.api_county import api_county
from tests.conftest import MigratedDatabase
from tests.figures import RecordFigure
from tests.integration.evidence_county import COUNTY
from tests.served_api import InProcess, access_token, served_api

pytestmark = [pytest.mark.long, pytest.mark.timeout(3_600)]

MIN_CALLS = 10_000
EXAMPLES = 8
ALL_PHASES = "examples,coverage,fuzzing,stateful"
PHASES = dict.fromkeys(Role, "fuzzing") | {Role.IT_ADMIN: ALL_PHASES}
"""One role may send every request. The others are refused most of them: they make those that fuzzing does."""
REQUEST_SECONDS = 20
"""Without an answer for so long a request hangs."""
CONFIGURATION = """
[parameters]  # half of the calls would be of counties that nobody has
"path.county_id" = "king_wa"
[checks]
unsupported_method.enabled = false        # an unknown method of a known path is 404: see the decisions
positive_data_acceptance.enabled = false  # a described request may be of a row that does not exist
negative_data_rejection.expected-statuses = ["4xx"]  # 413 too: a body of 10 MB is not looked into
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
    with api_county(monkeypatch), served_api(assemblies, monkeypatch) as served:
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
            *("--phases", PHASES[role], "--max-examples", str(EXAMPLES)),
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
