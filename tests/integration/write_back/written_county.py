"""A county with a roll in its own system, of which values are decided and written back."""

from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import boto3
from sqlalchemy import text

from functions.valuation.repository import approvals
from functions.valuation.schemas.runs import ApprovalFilter
from functions.write_back.handler import handler
from functions.write_back.tasks import handler as task
from shared.access import Role
from shared.db import unit_of_work
from tests.aws import BUCKET
from tests.gateway import Answer, call, claims_of
from tests.integration.sync.county import COUNTY, County
from tests.integration.sync.county import MAPPING as _WITHOUT_ROLL
from tests.job_cloud import run_task

_ROLL = """
  - source_query: SELECT r.id, r.yr, r.land, r.total AS whole, r.note FROM roll AS r WHERE cur = 'Y'
    target_table_name: assessments
    primary_key_source_fields: [id, yr]
    primary_key_target_fields: [assessment_id]
    field_map:
      - {source: [id, yr], target: assessment_id, type: string, required: true,
         transformations: [{type: pad_left, length: 6}, {type: concat, separator: "-"}]}
      - {source: id, target: property_id, type: string, required: true, transformations: [{type: pad_left, length: 6}]}
      - {source: yr, target: roll_year, type: integer, required: true}
      - {source: land, target: land_value, type: money, transformations: [{type: null_if, values: ["0"]}]}
      - {source: whole, target: total_value, type: money,
         transformations: [{type: strip_whitespace}, {type: parse_number}]}
      - {source: note, target: attributes.note, type: string}
value_maps:"""

WRITE_BACK = """
write_back:
  format: sql
  dialect: postgresql
  tables:
    - target_table_name: assessments
      source_table_name: roll
      where: {cur: "Y"}
      columns: [{target: land_value}, {target: total_value, source: total}]
"""

MAPPING = _WITHOUT_ROLL.replace("\nvalue_maps:", _ROLL) + WRITE_BACK

_BUILD = """
CREATE TABLE roll (id integer, yr integer, cur text, land text, total char(12), note text);
INSERT INTO roll SELECT i, 2015, 'Y', '0', i || ',000', 'it''s "' || i FROM generate_series(1, 30) AS i;
INSERT INTO roll SELECT i, 2015, 'N', '7', '77', '' FROM generate_series(1, 30) AS i
"""

COLLECTION = "/v1/counties/{county_id}/write-backs"
ONE = COLLECTION + "/{write_back_id}"


def fill_roll(county: County) -> None:
    """Make the roll of 2015: 30 parcels at 1,000 to 30,000, with dead rows beside them."""
    county.change(_BUILD)


def approve(values: dict[str, int], roll_year: int = 2015) -> UUID:
    """Approve a valuation run's values to a roll; the run's id."""
    run_id, approval_id = uuid4(), uuid4()
    with unit_of_work(COUNTY) as connection:
        for property_id, estimate in values.items():
            connection.execute(
                text(
                    "INSERT INTO valuation_run_results (county_id, run_id, property_id, partition_no, estimate, review,"
                    " flags) VALUES (:county, :run, :property, 1, :estimate, false, '[]')"
                ),
                {"county": COUNTY, "run": run_id, "property": property_id, "estimate": estimate},
            )
        chosen = ApprovalFilter()
        options: dict[str, Any] = {"run_id": run_id, "roll_year": roll_year, "approval_filter": chosen, "by": "a"}
        posted = approvals.post(connection, COUNTY, approval_id, assessment_ratio=Decimal(1), **options)
        approvals.add(connection, COUNTY, approval_id, posted=posted, **options)
    return run_id


def asked(method: str, part: str = "", write_back_id: str | None = None, **options: Any) -> Answer:
    """A request about a write-back."""
    path = {"county_id": COUNTY} | ({} if write_back_id is None else {"write_back_id": write_back_id})
    resource = COLLECTION if write_back_id is None else ONE + part
    claims = claims_of(options.pop("role", Role.ASSESSOR), [COUNTY])
    return call(handler, method, resource, path=path, claims=claims, **options)


def written_back(**request: Any) -> dict[str, Any]:
    """Make a write-back; its results with its `id`."""
    submitted = asked("POST", body=request)
    assert submitted.status == 202, submitted.body
    write_back_id = submitted.body["id"]
    assert run_task(task, COUNTY, "write_back", write_back_id) == {"status": "succeeded"}
    results = asked("GET", "/results", write_back_id)
    assert results.status == 200, results.body
    return {**results.body, "id": write_back_id}


def rows_of(results: dict[str, Any], **query: str) -> list[dict[str, Any]]:
    """All rows of a write-back, page by page."""
    rows, token = list[dict[str, Any]](), None
    while True:
        page = asked(
            "GET", "/rows", results["id"], query={"page_size": "7", **query, **({"page_token": token} if token else {})}
        )
        assert page.status == 200, page.body
        rows += page.body["items"]
        token = page.body.get("next_page_token")
        if token is None:
            return rows


def file_of(results: dict[str, Any]) -> bytes:
    """The file that a write-back made."""
    key = f"counties/{COUNTY}/jobs/{results['id']}/{results['file']['filename']}"
    content: bytes = boto3.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()
    return content
