"""A demo county's evidence as the platform sees it: its legacy system, mapped and synced by the state machine."""

import json
import tempfile
import time
from pathlib import Path
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import URL

from infra.cli.local_platform import local_platform
from infra.examples import legacy
from infra.examples.counties import configuration_text, mapping_text
from shared.evidence import Evidence


def synced_evidence(county_id: str) -> Evidence:
    """The county's valid sales, read as the valuation does, after a full sync into a database of its own."""
    from shared.db import unit_of_work
    from shared.evidence import read_evidence

    with tempfile.TemporaryDirectory() as folder, local_platform(Path(folder), port=0, durable=False) as cloud:
        source = legacy.build_county(cloud.postgres.owner_url("postgres"), county_id)
        name = f"terrafusion/{county_id}/source"
        cloud.clients("secretsmanager").create_secret(Name=name, SecretString=source_secret(source))
        with unit_of_work(county_id) as connection:
            connection.execute(
                text(
                    "INSERT INTO counties (county_id, friendly_name, configuration, mapping, version)"
                    " VALUES (:county, :county, CAST(:configuration AS jsonb), :mapping, 1)"
                ),
                {
                    "county": county_id,
                    "configuration": configuration_text(county_id),
                    "mapping": mapping_text(county_id),
                },
            )
        _sync(county_id)
        with unit_of_work(county_id) as connection:
            return read_evidence(connection, county_id)


def source_secret(url: URL) -> str:
    """Content of a county's connection secret, for a source of this machine."""
    parts = {"host": url.host, "port": url.port, "dbname": url.database}
    return json.dumps({**parts, "username": url.username, "password": url.password, "sslmode": "disable"})


def _sync(county_id: str) -> None:
    from functions.sync.schemas.runs import SyncRequest
    from functions.sync.service import commands, run_views
    from shared.access import Caller

    caller = Caller("benchmark", "benchmark", frozenset({county_id}), frozenset())
    job = commands.start(county_id, SyncRequest(), caller=caller, idempotency_key=None)
    while True:
        run = run_views.get(county_id, UUID(str(job.id)))
        if run.status not in ("pending", "running"):
            break
        time.sleep(0.05)
    if run.status != "succeeded":
        raise RuntimeError(f"the run is {run.status}: {run.error} {run.guard_findings}")
