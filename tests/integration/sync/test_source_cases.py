"""Small sources on which other readers fail, each synced whole: real files, services and databases."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import orjson
import pytest
from sqlalchemy import text
from urllib3.connection import port_by_scheme

from functions.sales_validation.handler import handler as sales_validation
from functions.sales_validation.tasks import handler as validation_task
from functions.sync.handler import handler as sync_api
from functions.sync.tasks import machine
from functions.sync.tasks.conversion import convert
from infra.local.postgres import LocalPostgres
from shared import storage
from shared.access import Role
from shared.db import unit_of_work
from shared.settings import settings
from shared.sources.web.arcgis import ArcGisSource
from shared.sources.web.socrata import SocrataSource
from tests.aws import make_machine
from tests.conftest import MigratedDatabase
from tests.gateway import call, claims_of
from tests.integration.sync import case_verdict
from tests.integration.sync.case_services import SERVICES, Layer
from tests.integration.sync.county import call as call_task
from tests.integration.sync.plain_connection import connect
from tests.job_cloud import run_task
from tests.loopback_tls import serving_context
from tests.mariadb import PASSWORD, MariaDb, server_binary
from tests.unit.sources.web_servers import Server

CASES = Path(__file__).parent / "source_cases"
MYSQL = """
SET sql_mode = '';
CREATE TABLE parcels_my (pin VARCHAR(12) PRIMARY KEY, homestead BIT(1), active TINYINT(1), sold DATE,
    price DECIMAL(12,2), houseno DOUBLE, built YEAR, flags SET('HS', 'VET'), street VARCHAR(40));
INSERT INTO parcels_my VALUES
    ('90-001', b'1', 1, '2024-03-05', 250000.50, 100, 1975, 'HS,VET', 'CALLE PEÑA'),
    ('90-002', b'0', 0, '0000-00-00', NULL, 200, 0, '', NULL),
    ('90-003', b'1', 2, '2023-00-15', 1, 300, 2001, '', '');
"""


@pytest.fixture(autouse=True)
def small_partitions() -> None:
    """Partitions of production size, so that services' limits are reached."""


@pytest.fixture(scope="module")
def maria_db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDb]:
    binary = server_binary()
    if binary is None:
        pytest.skip("no MariaDB or MySQL server is installed")
    server = MariaDb(binary, tmp_path_factory.mktemp("mariadb"))
    server.run(*MYSQL.strip().rstrip(";").split(";"))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return serving_context(tmp_path_factory.mktemp("tls"))


class Case:
    """One case, with its county and its sources."""

    def __init__(self, name: str, request: pytest.FixtureRequest) -> None:
        self.folder = CASES / name
        self.expected = json.loads((self.folder / "expected.json").read_text())
        self.configuration = json.loads((self.folder / "configuration.json").read_text())
        self.county_id = self.configuration["county_id"]
        self.service = SERVICES[name]() if name in SERVICES else None
        self._request = request

    def onboard(self) -> None:
        """Create the source and the county."""
        source = self.configuration["data_ingestion_settings"]["source"]
        if self.service is not None:
            self._serve(source)
        elif source["kind"] == "sql":
            self._database(source["secret_name"])
        with unit_of_work(self.county_id) as connection:
            connection.execute(
                text(
                    "INSERT INTO counties (county_id, friendly_name, configuration, mapping, version)"
                    " VALUES (:county, 'Case', CAST(:configuration AS jsonb), :mapping, 1)"
                ),
                {
                    "county": self.county_id,
                    "configuration": json.dumps(self.configuration),
                    "mapping": (self.folder / "mapping.yaml").read_text(),
                },
            )

    def rounds(self) -> list[dict[str, Any]]:
        """Changes of the source before each sync."""
        first = [{"files": "first"}] if (self.folder / "first").is_dir() else []
        rounds_expected: list[dict[str, Any]] = self.expected.get("rounds") or [*first, {"files": "."}]
        return rounds_expected

    def bring(self, brought: dict[str, Any]) -> None:
        """Upload files, and limit layers."""
        if isinstance(self.service, Layer) and "layers" in brought:
            (limit,) = brought["layers"].values()
            self.service.limit = limit or 1000
        for path in (self.folder / brought.get("files", ".")).iterdir():
            if path.is_file() and path.name not in {"configuration.json", "mapping.yaml", "expected.json"}:
                key = f"counties/{self.county_id}/incoming/{path.name}"
                boto3.client("s3").put_object(Bucket=settings().data_bucket, Key=key, Body=path.read_bytes())

    def sync(self) -> str:
        """Carry out a run; an error leads to Fail, as by the machine's Catch."""
        run: dict[str, str] = {"county_id": self.county_id, "run_id": str(uuid4())}
        start = {**run, "execution": {"id": f"arn:{run['run_id']}", "name": run["run_id"]}}
        try:
            while (planned := call_task(machine.plan, start))["outcome"] == "convert":
                call_task(convert, {**run, "table": planned["table"]})
            self._partitions(run, planned["partitions"]["key"])
            outcome = call_task(machine.reconcile, run)["outcome"]
            if outcome == "apply":
                self.finish(run)
        except Exception as error:
            failure = {"Error": type(error).__name__, "Cause": json.dumps({"errorMessage": str(error)})}
            call_task(machine.fail, {**start, "failure": failure})
        return run["run_id"]

    def _partitions(self, run: dict[str, str], listed: str) -> None:
        for item in orjson.loads(storage.get(listed)):
            try:
                call_task(machine.partition, {**run, "partition": item})
            except Exception:
                raise DistributedMapFailed from None

    def finish(self, run: dict[str, str]) -> None:
        """Apply and Publish."""
        call_task(machine.apply, run)
        for item in orjson.loads(storage.get(call_task(machine.prepare, run)["files"]["key"])):
            call_task(machine.curate, {**run, "file": item})
        call_task(machine.publish, run)

    def api(self, method: str, path: str, run_id: str = "", **options: Any) -> Any:
        """The sync API, as the county's IT administrator."""
        names = {"county_id": self.county_id, **({"run_id": run_id} if run_id else {})}
        claims = claims_of(Role.IT_ADMIN, [self.county_id])
        return call(sync_api, method, f"/v1/counties/{{county_id}}{path}", path=names, claims=claims, **options)

    def flags(self) -> dict[str, str]:
        """The flags of a sales validation, by sale."""
        path, claims = {"county_id": self.county_id}, claims_of(Role.IT_ADMIN, [self.county_id])
        job = call(sales_validation, "POST", "/v1/counties/{county_id}/sales-validations", path=path, claims=claims,
                   body={}).body["id"]  # fmt: skip
        run_task(validation_task, self.county_id, "sales_validation", job)
        answer = call(sales_validation, "GET", "/v1/counties/{county_id}/sales-flags", path=path, claims=claims,
                     query={"page_size": "100"})  # fmt: skip
        return {sale["sale_id"]: json.dumps(sale) for sale in answer.body["items"]}

    def _serve(self, source: dict[str, Any]) -> None:
        assert self.service is not None
        patch: pytest.MonkeyPatch = self._request.getfixturevalue("monkeypatch")
        for kind in (ArcGisSource, SocrataSource):  # which wait between two tries
            patch.setitem(kind.__init__.__kwdefaults__ or {}, "sleep", lambda _: None)
        context, authority = self._request.getfixturevalue("tls")
        server = Server(self.service.answer)
        address = server.start(context)
        self._request.addfinalizer(server.stop)
        patch.setenv("SSL_CERT_FILE", str(authority))
        if source["kind"] == "arcgis":
            source["url"] = f"{address}/case/FeatureServer"
        else:  # a domain has no port
            patch.setitem(port_by_scheme, "https", int(address.rpartition(":")[2]))

    def _database(self, secret: str) -> None:
        script = self.folder / "source.sql"
        if script.exists():
            server: LocalPostgres = self._request.getfixturevalue("postgres_server")
            name = f"source_{uuid4().hex}"
            server.create_database(name)
            self._request.addfinalizer(lambda: server.drop_database(name))
            url = server.owner_url(name)
            connection = connect(url, name)
            connection.run(f"ALTER DATABASE {name} SET timezone = 'America/Los_Angeles'")
            connection.run("SET timezone = 'America/Los_Angeles'")
            for statement in script.read_text().split(";"):
                if statement.strip():
                    connection.run(statement)
            connection.close()
            known = {"host": url.host, "port": url.port, "dbname": name, "username": url.username,
                     "password": url.password}  # fmt: skip
        else:
            maria: MariaDb = self._request.getfixturevalue("maria_db")
            known = {"dialect": "mysql", "host": "127.0.0.1", "port": maria.port, "dbname": "cama",
                     "username": "writer", "password": PASSWORD}  # fmt: skip
        secrets = boto3.client("secretsmanager")
        secrets.create_secret(Name=secret, SecretString=json.dumps({**known, "sslmode": "disable"}))


class DistributedMapFailed(Exception):  # noqa: N818 - its name is what the machine would say
    """The error of a distributed map, which names no reason."""


@pytest.mark.parametrize("name", sorted(path.name for path in CASES.iterdir()))
def test_a_source_that_went_wrong_elsewhere_is_read_or_refused_with_the_reason(
    name: str, request: pytest.FixtureRequest, database: MigratedDatabase, cloud: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = Case(name, request)
    case.onboard()
    text = ""
    for brought in case.rounds():
        case.bring(brought)
        run_id = case.sync()
    if case.expected.get("preview"):
        text += case_verdict.as_text(case.api("POST", "/mapping/preview", body={}).body)
    result = case_verdict.result_of_run(case.county_id, run_id, noted=text)
    if result.run == "failed" and case.expected.get("again"):
        result = case_verdict.result_of_run(case.county_id, case.sync(), first_failed=result.message, noted=text)
    verdicts, against = case_verdict.verdict(case.expected, result)
    if verdicts is None and result.run == "waits":
        assert case.api("POST", "/sync-runs/{run_id}/approve", run_id).status == 202
        case.finish({"county_id": case.county_id, "run_id": run_id})
        verdicts, against = case_verdict.verdict(
            case.expected, case_verdict.result_of_run(case.county_id, run_id, noted=text)
        )
    if any("flags" in outcome for outcome in case.expected["outcomes"]):
        make_machine(monkeypatch, "jobs")
        settings.cache_clear()
        result.flags = case.flags()
        verdicts, against = case_verdict.verdict(case.expected, result)
    assert verdicts is not None, f"{case.expected['says']}\n" + "\n".join(against)
