"""A run that is killed at any step ends in the same data as an undisturbed one, resumed or followed by a new run.

One county is prepared once: two runs behind it, changes in its source, and a run that was asked for. Each test has
a copy of its database, and one kill at a point of the run that is drawn by its number: so a failure can be
repeated by running the test of that name. What is killed is real: a process by SIGKILL, the server's side of every
connection by pg_terminate_backend, a call that raises what nobody expects.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal
from uuid import UUID, uuid4

import pytest
from moto.server import ThreadedMotoServer
from sqlalchemy.engine import URL

from functions.sync.domain import partitioning
from functions.sync.domain.publication import Manifest
from functions.sync.engine.publication import file_plan
from functions.sync.object_keys import latest_manifest_key
from functions.sync.schemas.runs import SyncRequest
from functions.sync.service import commands
from infra.local.postgres import LocalPostgres
from infra.settings import ROOT
from shared import storage
from shared.access import Caller
from shared.aws import forget_clients
from shared.db import engine
from shared.db.engine import make_engine
from shared.jobs import lifecycle
from shared.problems import Conflict
from shared.settings import settings
from tests.aws import CREDENTIALS, make_machine
from tests.conftest import APPLICATION_PASSWORD
from tests.integration.sync.county import COUNTY, MAPPING, County
from tests.integration.sync.plain_connection import connect
from tests.integration.sync.sync_steps import Steps, break_down, carry_out, disturbed, keep_objects_in
from tests.polling import eventually

CALLER = Caller("sub", "somebody", frozenset({COUNTY}), frozenset())
PARTITION_ROWS, ROWS_PER_FILE = 40, 60
Mode = Literal["full", "incremental"]

_WATERMARKED = MAPPING.replace(
    "    primary_key_source_fields: [id]\n", "    primary_key_source_fields: [id]\n    watermark_field: changed_at\n"
)
_FIRST = """
DELETE FROM parcel WHERE id > 80; DELETE FROM sale WHERE parcel_id > 20;
UPDATE parcel SET built = 'x' WHERE id IN (50, 60);
ALTER TABLE parcel ADD COLUMN changed_at timestamp NOT NULL DEFAULT '2026-01-01'
"""
_THEN = "DELETE FROM parcel WHERE id = 8; UPDATE parcel SET value = '3', changed_at = '2026-01-02' WHERE id = 9"
_AT_LAST = """
UPDATE parcel SET value = '7', changed_at = '2026-01-03' WHERE id = 42;
UPDATE parcel SET built = '1950', changed_at = '2026-01-03' WHERE id = 50;
UPDATE parcel SET built = 'worse', changed_at = '2026-01-03' WHERE id IN (60, 70);
DELETE FROM parcel WHERE id = 7; DELETE FROM sale WHERE parcel_id = 3;
INSERT INTO parcel (id, pin, class, built, value, changed_at) VALUES
    (8, 'P8', 'R', '1908', '8', '2026-01-03'), (301, 'P301', 'R', '2000', '5', '2026-01-03')
"""


@dataclass(frozen=True)
class Prepared:
    """The prepared county, and the result of an undisturbed run."""

    server: LocalPostgres
    database: str
    source: URL
    run_id: str
    objects: Path
    steps: dict[Mode, int]
    expected: dict[Mode, Any]
    process: "subprocess.Popen[str]"

    def copy(self, mode: Mode) -> str:
        """A database and objects of the test's own, with a requested run of this mode."""
        name = f"killed_{uuid4().hex}"
        self.server.create_database(name, template=self.database)
        shutil.rmtree(self.objects)
        shutil.copytree(_original(self.objects), self.objects)
        _connect(self.server, name)
        County(self.source).query("UPDATE sync_runs SET mode = :mode WHERE active RETURNING 1", mode=mode)
        return name

    def carry_out_in_a_process(self, at: int, when: str) -> int:
        """Start a process that carries out the run until it dies at a step; its id."""
        url = engine.database_url("").render_as_string(hide_password=False)
        asked = {"database": url, "county_id": COUNTY, "run_id": self.run_id, "at": at, "when": when}
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        return int(self._answer())

    def process_ended(self) -> dict[str, int]:
        """Wait for the process; the signal that ended it."""
        ended: dict[str, int] = json.loads(self._answer())
        return ended

    def _answer(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()


def _original(objects: Path) -> Path:
    return objects.with_name("original-objects")


def _connect(server: LocalPostgres, name: str) -> URL:
    url = server.owner_url(name).set(username="terrafusion_app", password=APPLICATION_PASSWORD)
    engine.forget_engine()
    vars(engine).update(database_url=lambda _: url)
    return url


def _disconnect(server: LocalPostgres, name: str) -> None:
    engine.forget_engine()
    server.drop_database(name)


@pytest.fixture(scope="module")
def prepared(
    postgres_server: LocalPostgres, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Prepared]:
    objects = tmp_path_factory.mktemp("objects")
    cloud = ThreadedMotoServer(port=0, verbose=False)
    cloud.start()
    host, port = cloud.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            **CREDENTIALS,
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
            "DATA_BUCKET": "killing-ground",
            "EVENT_BUS_NAME": "default",
            "DATABASE_SECRET_ARN": "killing-ground",
        }.items():
            patch.setenv(name, value)
        patch.setattr(partitioning, "PARTITION_ROWS", PARTITION_ROWS)
        patch.setattr(file_plan, "ROWS_PER_FILE", ROWS_PER_FILE)
        patch.setattr(engine, "database_url", engine.database_url)
        patch.setattr(lifecycle, "START_GRACE", timedelta(0))
        for name in ("put", "get", "find"):
            patch.setattr(storage, name, getattr(storage, name))
        keep_objects_in(objects)
        make_machine(patch, "sync")
        settings.cache_clear()
        forget_clients()
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.integration.sync.killed_process"),
                *(str(PARTITION_ROWS), str(ROWS_PER_FILE), str(objects)),
            ],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            yield _prepare(postgres_server, migrated_template, objects, process)
        finally:
            process.communicate()
    engine.forget_engine()
    settings.cache_clear()
    forget_clients()
    cloud.stop()


def _prepare(server: LocalPostgres, template: str, objects: Path, process: "subprocess.Popen[str]") -> Prepared:
    server.create_database("killing_ground", template=template)
    server.create_database("killing_ground_source")
    _connect(server, "killing_ground")
    county = County(server.owner_url("killing_ground_source"))
    county.build()
    county.change(_FIRST)
    county.set_mapping(_WATERMARKED)
    county.configure(
        incremental={"overlap_seconds": 0, "removals": "compare_keys"},
        guards={"max_removed_share": 1, "max_rejected_share": 1},
    )
    for changes in (_THEN, _AT_LAST):
        carry_out(COUNTY, _started())
        county.change(changes)
    run_id = _started()
    county.close()
    engine.forget_engine()
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    shutil.copytree(objects, _original(objects))
    source = server.owner_url("killing_ground_source")
    made = Prepared(server, "killing_ground", source, run_id, objects, {}, {}, process)
    for mode in ("full", "incremental"):
        name = made.copy(mode)
        with disturbed(Steps(), break_down) as steps:
            assert carry_out(COUNTY, run_id) == "apply"
        made.steps[mode] = steps.done
        made.expected[mode] = final_state(County(made.source))
        _disconnect(server, name)
    return made


def _started(mode: Mode = "full") -> str:
    return str(commands.start(COUNTY, SyncRequest(mode=mode), caller=CALLER, idempotency_key=None).id)


def final_state(county: County) -> dict[str, Any]:
    """All data that a run leaves, without ids of runs and times."""
    manifest = Manifest.model_validate_json(storage.get(latest_manifest_key(COUNTY)))
    return {
        **county.state(),
        "watermarks": county.query("SELECT table_name, mapping_digest, watermark, change_version FROM sync_watermarks"),
        "quarantine": sorted(
            county.query(
                "SELECT table_name, source_key, target_key, source_row::text, reasons::text, resolution"
                " FROM rejected_rows WHERE resolution IS NULL OR resolution <> 'rejected_again'"
            ),
            key=str,
        ),
        "what was applied is published": county.query(
            "SELECT published_at IS NOT NULL FROM sync_runs WHERE applied_at IS NOT NULL"
            " ORDER BY applied_at DESC LIMIT 1"
        ),
        "unfinished": county.query("SELECT count(*) FROM jobs WHERE status IN ('pending', 'running')"),
        "curated": {name: table.rows for name, table in manifest.tables.items()},
        "no period is broken": county.query(
            "SELECT count(*) FROM properties_operational_history AS h JOIN properties_operational AS t"
            " USING (county_id, property_id) WHERE h.version = t.version - 1 AND h.valid_to <> t.valid_from"
        ),
    }


KILLED = {"signal": 9, "code": 0}
KILLS = 34
CUT_CONNECTIONS = 34
FAILURES = 34


@pytest.mark.parametrize("number", range(KILLS))
def test_of_a_process_that_is_killed(prepared: Prepared, number: int) -> None:
    chance = random.Random(f"killed process {number}")  # noqa: S311 - a test's dice
    mode, at, when = _drawn(prepared, chance)
    name = prepared.copy(mode)
    engine.forget_engine()
    prepared.carry_out_in_a_process(at, when)
    assert prepared.process_ended() == KILLED, (at, when)

    _end(prepared, mode, chance)
    _disconnect(prepared.server, name)


def test_of_a_process_that_is_killed_while_it_waits_for_the_database_to_apply(prepared: Prepared) -> None:
    name = prepared.copy("full")
    county = County(prepared.source)
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with make_engine(prepared.server.owner_url(name)).connect() as owner:
        owner.exec_driver_sql("LOCK TABLE properties_operational IN SHARE MODE")
        process = prepared.carry_out_in_a_process(0, "before")
        assert eventually(lambda: county.query(waiting) == [(1,)])
        os.kill(process, signal.SIGKILL)
        assert prepared.process_ended() == KILLED
        owner.rollback()

    # nobody is there to see it
    applied = "SELECT count(*) FROM sync_runs WHERE active AND applied_at IS NOT NULL"
    assert eventually(lambda: county.query(applied) == [(1,)])
    _resume(county, prepared.run_id)
    assert final_state(county) == prepared.expected["full"]
    county.close()
    _disconnect(prepared.server, name)


@pytest.mark.parametrize("number", range(CUT_CONNECTIONS))
def test_of_connections_that_the_server_ends(prepared: Prepared, number: int) -> None:
    chance = random.Random(f"cut connection {number}")  # noqa: S311 - a test's dice
    mode, at, when = _drawn(prepared, chance)
    name = prepared.copy(mode)
    with disturbed(Steps(at, when), lambda: _cut_connections(prepared, name)) as steps:
        outcome = carry_out(COUNTY, prepared.run_id)  # the state machine tries again, and nobody has to do anything

    assert steps.disturbed, (at, when)
    assert outcome in ("apply", "unchanged")
    assert final_state(County(prepared.source)) == prepared.expected[mode], (at, when)
    _disconnect(prepared.server, name)


@pytest.mark.parametrize("number", range(FAILURES))
def test_of_a_call_that_fails_as_nobody_expects(prepared: Prepared, number: int) -> None:
    chance = random.Random(f"failure {number}")  # noqa: S311 - a test's dice
    mode, at, when = _drawn(prepared, chance)
    name = prepared.copy(mode)
    try:
        with disturbed(Steps(at, when), break_down):
            carry_out(COUNTY, prepared.run_id)
    except Exception as error:
        County(prepared.source).fail(prepared.run_id, error)

    _end(prepared, mode, chance)
    _disconnect(prepared.server, name)


@pytest.mark.parametrize("number", range(4))
def test_of_two_executions_of_the_same_run(prepared: Prepared, number: int) -> None:
    chance = random.Random(f"two executions {number}")  # noqa: S311 - a test's dice
    mode: Mode = ("full", "incremental")[number % 2]
    name = prepared.copy(mode)

    def execute() -> str:
        try:
            return carry_out(COUNTY, prepared.run_id)
        except Exception as error:  # one of them may find that the other has been there
            return type(error).__name__

    with ThreadPoolExecutor(2) as executions:
        ended = [executions.submit(execute) for _ in range(2)]
        outcomes = {item.result() for item in ended}

    assert outcomes
    _end(prepared, mode, chance)
    _disconnect(prepared.server, name)


def test_of_concurrent_requests_one_starts_a_run_and_the_others_name_it(
    prepared: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    # between the commit that names an execution and its start, another request would take the run for an orphan
    monkeypatch.setattr(lifecycle, "START_GRACE", timedelta(seconds=60))
    name = prepared.copy("full")
    county = County(prepared.source)
    county.fail(prepared.run_id, TimeoutError("it is over"))

    def request(_: int) -> str:
        try:
            return _started()
        except Conflict as conflict:
            return str(conflict)

    with ThreadPoolExecutor(6) as callers:
        answers = list(callers.map(request, range(6)))

    (started,) = (str(row[0]) for row in county.query("SELECT run_id FROM sync_runs WHERE active"))
    assert sorted(answers).count(started) == 1
    assert all(started in answer for answer in answers)
    county.close()
    _disconnect(prepared.server, name)


def _drawn(prepared: Prepared, chance: random.Random) -> tuple[Mode, int, Literal["before", "after"]]:
    mode: Mode = chance.choice(("full", "incremental"))
    return mode, chance.randint(1, prepared.steps[mode]), chance.choice(("before", "after"))


def _end(prepared: Prepared, mode: Mode, chance: random.Random) -> None:
    """End an interrupted run: resume it, or start a new one."""
    county = County(prepared.source)
    status, _ = county.job(prepared.run_id)
    way = chance.choice(("resume", "fresh run"))
    if status == "succeeded":
        pass
    elif way == "resume":
        _resume(county, prepared.run_id)
    else:
        _start_afresh(county, prepared.run_id, mode)
    assert final_state(county) == prepared.expected[mode], way
    county.close()


def _resume(county: County, killed: str) -> None:
    """Resume a run whose execution has ended with its process; while that runs it is refused."""
    if county.job(killed)[0] in ("pending", "running"):
        with pytest.raises(Conflict, match="under way"):
            commands.resume(COUNTY, UUID(killed), CALLER)
        gone = f"{settings().sync_state_machine_arn.replace(':stateMachine:', ':execution:')}:gone"
        county.query(
            "UPDATE jobs SET execution_arn = :arn WHERE job_id = CAST(:id AS uuid) RETURNING 1", arn=gone, id=killed
        )
    commands.resume(COUNTY, UUID(killed), CALLER)
    carry_out(COUNTY, killed)


def _start_afresh(county: County, killed: str, mode: Mode) -> None:
    """Start a new run, which a killed run prevents until it is failed."""
    status, _ = county.job(killed)
    if status in ("pending", "running"):
        with pytest.raises(Conflict, match=killed):
            _started(mode)
        county.fail(killed, TimeoutError("the state machine saw it at last"))
    carry_out(COUNTY, _started(mode))


def _cut_connections(prepared: Prepared, database: str) -> None:
    with connect(prepared.server.admin_url) as server:
        server.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name", name=database)
        server.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"
            " AND application_name = 'terrafusion-sync'",
            name=prepared.source.database,
        )
