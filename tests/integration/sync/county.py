"""A county with a small legacy system: its sync run step by step, and its state for comparisons."""

import json
from collections.abc import Callable, Iterable
from typing import Any
from uuid import uuid4

import boto3
from sqlalchemy import text
from sqlalchemy.engine import URL

from functions.sync.tasks import machine
from infra.examples.counties import configuration_text
from shared.db import unit_of_work
from shared.db.models import SYNC_TARGETS
from shared.settings import settings
from tests.gateway import LambdaContext
from tests.integration.sync.plain_connection import connect

COUNTY = "testing_wa"

MAPPING = """
source_system_type: TESTING
target_schema_version: "1.1"
county_id_default: testing_wa
table_mappings:
  - source_query: SELECT * FROM parcel WHERE kept
    target_table_name: properties_operational
    primary_key_source_fields: [id]
    primary_key_target_fields: [property_id]
    field_map:
      - {source: id, target: property_id, type: string, required: true, transformations: [{type: pad_left, length: 6}]}
      - {source: pin, target: parcel_number, type: string, transformations: [{type: strip_whitespace}]}
      - {source: class, target: property_class, type: string, transformations: [{type: value_map, map: classes}]}
      - {source: built, target: year_built, type: integer}
      - {source: value, target: total_value, type: money, transformations: [{type: parse_number}]}
      - {source: note, target: attributes.note, type: string}
  - source_table_name: sale
    target_table_name: sales
    primary_key_source_fields: [parcel_id, seq]
    primary_key_target_fields: [sale_id]
    field_map:
      - {source: [parcel_id, seq], target: sale_id, type: string, required: true,
         transformations: [{type: pad_left, length: 6}, {type: concat, separator: "-"}]}
      - {source: parcel_id, target: property_id, type: string, transformations: [{type: pad_left, length: 6}]}
      - {source: sold, target: sale_date, type: date, transformations: [{type: parse_date, format: "%Y%m%d"}]}
      - {source: price, target: sale_price, type: money}
      - {target: validity_code, type: string, default: valid}
value_maps:
  classes: {R: residential, C: commercial}
"""

BY_PIN = MAPPING.replace("source: id, target: property_id", "source: pin, target: property_id").replace(
    "transformations: [{type: pad_left, length: 6}]}\n      - {source: pin",
    "transformations: [{type: strip_whitespace}]}\n      - {source: pin",
)
"""The same with a key that the source does not promise to be unique."""

_BUILD = """
CREATE TABLE parcel (id integer PRIMARY KEY, pin char(12), class text, built text, value text, note text,
    kept boolean NOT NULL DEFAULT true, spare text);
INSERT INTO parcel
SELECT i, 'P' || i, CASE WHEN i % 10 = 0 THEN 'C' ELSE 'R' END, (1900 + i % 100)::text, '$' || i || ',000.50',
    CASE i % 3 WHEN 0 THEN NULL WHEN 1 THEN '' ELSE 'note ' || i END
FROM generate_series(1, 300) AS i;
UPDATE parcel SET built = '19x7' WHERE id = 150;
CREATE TABLE sale (parcel_id integer, seq integer, sold text, price text, PRIMARY KEY (parcel_id, seq));
INSERT INTO sale SELECT i, s, '2015' || lpad((1 + i % 12)::text, 2, '0') || '15', (100000 + i * s)::text
FROM generate_series(1, 120) AS i, generate_series(1, 2) AS s;
"""

Step = Callable[[dict[str, Any], Any], dict[str, Any]]
Row = tuple[Any, ...]


class County:
    """A county and its source. Steps are the tasks' Lambda entries, in the machine's order."""

    def __init__(self, source: URL) -> None:
        self._url = source
        self._source = connect(source)

    def build(self) -> None:
        """Fill the source, and onboard the county."""
        self.change(_BUILD)
        boto3.client("secretsmanager").create_secret(
            Name=f"terrafusion/{COUNTY}/source", SecretString=self.secret(self._url.port)
        )
        configuration = configuration_text("king_wa").replace("king_wa", COUNTY)
        with unit_of_work(COUNTY) as connection:
            connection.execute(
                text(
                    "INSERT INTO counties (county_id, friendly_name, configuration, mapping, version)"
                    " VALUES (:county, 'Testing', CAST(:configuration AS jsonb), :mapping, 1)"
                ),
                {"county": COUNTY, "configuration": configuration, "mapping": MAPPING},
            )

    def secret(self, port: int | None) -> str:
        """The connection secret, with a port."""
        return json.dumps(
            {
                "host": self._url.host,
                "port": port,
                "dbname": self._url.database,
                "username": self._url.username,
                "password": self._url.password,
                "sslmode": "disable",
            }
        )

    def set_secret(self, value: str) -> None:
        """Replace the connection secret."""
        boto3.client("secretsmanager").put_secret_value(SecretId=f"terrafusion/{COUNTY}/source", SecretString=value)

    def set_mapping(self, mapping: str) -> None:
        """Replace the county's mapping."""
        with unit_of_work(COUNTY) as connection:
            connection.execute(text("UPDATE counties SET mapping = :mapping"), {"mapping": mapping})

    def configure(self, **ingestion: Any) -> None:
        """Change settings of the county's data ingestion."""
        with unit_of_work(COUNTY) as connection:
            connection.execute(
                text(
                    "UPDATE counties SET configuration = jsonb_set(configuration, '{data_ingestion_settings}',"
                    " configuration -> 'data_ingestion_settings' || CAST(:settings AS jsonb))"
                ),
                {"settings": json.dumps(ingestion)},
            )

    def change(self, script: str) -> None:
        """Run SQL on the source."""
        for statement in script.split(";"):
            if statement.strip():
                self._source.run(statement)

    def change_whole(self, statement: str) -> None:
        """Run one statement on the source, which may contain semicolons."""
        self._source.run(statement)

    def source_rows(self, statement: str) -> list[Row]:
        """Rows of the source."""
        return [tuple(row) for row in self._source.run(statement) or ()]

    @property
    def source_url(self) -> URL:
        """The source's database."""
        return self._url

    @property
    def port(self) -> int | None:
        """The source's port."""
        return self._url.port

    def close(self) -> None:
        """Close the connection to the source."""
        self._source.close()

    # --- the machine's steps

    def plan(self, **more: Any) -> dict[str, Any]:
        """Plan a run of an execution of its own."""
        name = f"execution-{uuid4()}"
        return call(machine.plan, {"county_id": COUNTY, "execution": {"id": f"arn:{name}", "name": name}, **more})

    def items(self, planned: dict[str, Any]) -> list[dict[str, Any]]:
        """The list that Plan wrote."""
        return self._listed(planned["partitions"])

    def files(self, prepared: dict[str, Any]) -> list[dict[str, Any]]:
        """The list that Prepare wrote."""
        return self._listed(prepared["files"])

    def _listed(self, parameters_of: dict[str, str]) -> list[dict[str, Any]]:
        body = boto3.client("s3").get_object(Bucket=parameters_of["bucket"], Key=parameters_of["key"])
        items: list[dict[str, Any]] = json.loads(body["Body"].read())
        return items

    def partition(self, run_id: str, item: dict[str, Any]) -> dict[str, Any]:
        """Process one partition."""
        return call(machine.partition, {"county_id": COUNTY, "run_id": run_id, "partition": item})

    def step(self, task: Step, run_id: str) -> dict[str, Any]:
        """Call a task of the whole run."""
        return call(task, {"county_id": COUNTY, "run_id": run_id})

    def fail(self, run_id: str, error: Exception) -> dict[str, Any]:
        """Call Fail with an error, as the machine's Catch does."""
        failure = {"Error": type(error).__name__, "Cause": json.dumps({"errorMessage": str(error)})}
        event = {"county_id": COUNTY, "run_id": run_id, "failure": failure, "execution": {"id": "arn:x", "name": "x"}}
        return call(machine.fail, event)

    def end_execution(self, run_id: str, status: str, execution_arn: str | None = None) -> dict[str, Any]:
        """Call Fail with EventBridge's event of the end of an execution, by default that of the run."""
        if execution_arn is None:
            ((execution_arn,),) = self.query(
                "SELECT execution_arn FROM jobs WHERE job_id = CAST(:id AS uuid)", id=run_id
            )
        given = json.dumps({"county_id": COUNTY, "run_id": run_id})
        detail = {"executionArn": execution_arn, "name": "x", "status": status, "input": given, "output": None}
        return call(machine.fail, {"source": "aws.states", "detail": detail})

    def sync(self, **more: Any) -> tuple[str, str]:
        """Run a whole sync; its id, and Reconcile's outcome."""
        planned = self.plan(**more)
        return planned["run_id"], self.go_on(planned)

    def go_on(self, planned: dict[str, Any]) -> str:
        """Run all states after Plan; Reconcile's outcome."""
        for item in self.items(planned):
            self.partition(planned["run_id"], item)
        outcome: str = self.step(machine.reconcile, planned["run_id"])["outcome"]
        if outcome == "apply":
            self.finish(planned["run_id"])
        return outcome

    def finish(self, run_id: str) -> None:
        """Apply and Publish."""
        self.step(machine.apply, run_id)
        self.publish(run_id)

    def publish(self, run_id: str) -> None:
        """Prepare, Curate each file, and Publish."""
        for item in self.files(self.step(machine.prepare, run_id)):
            self.curate(run_id, item)
        self.step(machine.publish, run_id)

    def curate(self, run_id: str, item: dict[str, Any]) -> dict[str, Any]:
        """Write one file of a publication."""
        return call(machine.curate, {"county_id": COUNTY, "run_id": run_id, "file": item})

    # --- what there is

    def query(self, statement: str, **parameters: Any) -> list[Row]:
        """Rows of the operational database, in the county's tenancy."""
        with unit_of_work(COUNTY) as connection:
            return [tuple(row) for row in connection.execute(text(statement), parameters)]

    def row_versions(self) -> dict[str, dict[str, str]]:
        """ctid and xmin of each target's rows, which any write changes."""
        return {table: dict(self.query(f"SELECT ctid::text, xmin::text FROM {table}")) for table in SYNC_TARGETS}

    def state(self, without: Iterable[str] = ("sync_run_id", "valid_from", "valid_to", "superseded_by_run")) -> Any:
        """All data that a sync leaves, without ids of runs and times."""
        left_out = " - ".join(f"'{name}'" for name in without)
        state: dict[str, Any] = {}
        for table in SYNC_TARGETS:
            for name in (table, f"{table}_history"):
                rows = self.query(
                    f"SELECT (to_jsonb(t) - 'retired_at' - {left_out})::text, retired_at IS NOT NULL FROM {name} AS t"
                )
                state[name] = sorted(rows)
        state["staging"] = self.query("SELECT relname FROM pg_class WHERE relnamespace = 'staging'::regnamespace")
        state["active"] = self.query("SELECT run_id FROM sync_runs WHERE active")
        return state

    def job(self, run_id: str) -> tuple[str, dict[str, Any] | None]:
        """A run's status and error."""
        ((status, error),) = self.query("SELECT status, error FROM jobs WHERE job_id = CAST(:id AS uuid)", id=run_id)
        return status, error

    def object_keys(self, prefix: str) -> list[str]:
        """Keys in the data bucket below the county's."""
        listing = boto3.client("s3").list_objects_v2(
            Bucket=settings().data_bucket, Prefix=f"counties/{COUNTY}/{prefix}"
        )
        return [item["Key"] for item in listing.get("Contents", [])]

    def object(self, key: str) -> bytes:
        """An object's content."""
        return boto3.client("s3").get_object(Bucket=settings().data_bucket, Key=key)["Body"].read()


def call(task: Step, event: dict[str, Any], seconds: float = 900.0) -> dict[str, Any]:
    """Call a task with an event passed through JSON, as the machine does, and the Lambda's remaining seconds."""
    return task(json.loads(json.dumps(event)), LambdaContext(seconds))
