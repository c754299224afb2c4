"""A check of the source before anything is synced."""

from typing import Any

from shared.access import Role
from tests.gateway import Answer
from tests.integration.sync.county import BY_PIN, MAPPING, County
from tests.integration.sync.test_approval import api
from tests.integration.sync.test_validations import LOOKUP, PARCELS, SALES

CHECK = "/v1/counties/{county_id}/source-check"


def check(role: Role = Role.IT_ADMIN, **body: Any) -> Answer:
    return api("POST", CHECK, role=role, body=body)


def test_a_source_that_a_sync_can_read_is_ready(county: County) -> None:
    checked = check().body

    assert (checked["ready"], checked["fault"]) == (True, None)
    parcels, sales = checked["tables"]
    rows = parcels["rows"]
    assert (parcels["table"], parcels["source"], rows > 10) == ("properties_operational", "a query", True)
    assert parcels["columns"] | {"id": "integer", "built": "text"} == parcels["columns"]
    assert parcels["key"] == {
        "columns": ["id"], "rows": rows, "complete": True, "without_key": 0, "duplicated": 0, "examples": [],
    }  # fmt: skip
    assert parcels["sample"]["rejected"] <= 1
    assert "spare" in parcels["unmapped_columns"]
    assert (sales["source"], sales["ready"]) == ("sale", True)


def test_it_stores_nothing(county: County) -> None:
    check()
    assert county.object_keys("") == []
    assert county.query("SELECT count(*) FROM jobs") == [(0,)]


def test_each_table_says_what_stands_in_its_way_and_the_others_are_checked(county: County) -> None:
    county.change("ALTER TABLE sale DROP COLUMN price")

    checked = check().body

    assert checked["ready"] is False
    parcels, sales = checked["tables"]
    assert parcels["ready"] is True
    assert sales["faults"] == ["it has no column price, which the mapping names"]
    assert sales["key"] is None

    gone = check(mapping=MAPPING.replace("source_table_name: sale", "source_table_name: sold")).body["tables"][1]
    assert len(gone["faults"]) == 1
    assert gone["faults"][0].startswith("its columns: ")
    assert "sold" in gone["faults"][0]


def test_a_column_that_is_no_key_is_said_to_be_none_with_examples(county: County) -> None:
    county.change_whole("UPDATE parcel SET pin = 'SAME' WHERE id <= 3; UPDATE parcel SET pin = NULL WHERE id = 4")

    (parcels, _) = check(mapping=BY_PIN.replace("source_fields: [id]", "source_fields: [pin]")).body["tables"]

    assert (parcels["key"]["duplicated"], parcels["key"]["without_key"]) == (3, 1)
    assert [example.strip() for example in parcels["key"]["examples"]] == ["SAME"]
    assert parcels["faults"][-1] == "pin is not its key: 3 rows share theirs with another row, and 1 have none"


def test_values_that_the_mapping_rejects_are_counted_by_their_reason(county: County) -> None:
    county.change_whole("UPDATE parcel SET built = 'unknown'")

    (parcels,) = check(table="properties_operational").body["tables"]

    reason = parcels["sample"]["reasons"][0]
    assert (reason["rule"], reason["field"], reason["rows"]) == ("type", "year_built", parcels["sample"]["rows"])
    assert "unknown" in reason["message"]
    assert parcels["faults"] == ["every row of the sample is rejected"]


def test_an_empty_table_and_a_lookup_without_its_table_are_faults(county: County) -> None:
    county.change("DELETE FROM sale")
    field = (
        "      - {source: spare, target: quality, type: string,"
        " transformations: [{type: lookup, table: grades, column: label}]}\n"
    )

    parcels, sales = check(mapping=PARCELS + field + SALES + LOOKUP).body["tables"]

    assert parcels["faults"][0].startswith("what the mapping makes of it: ")
    assert "grade" in parcels["faults"][0]
    assert sales["faults"] == ["it has no rows: a sync would not take the county for empty, and stops there"]


def test_a_source_out_of_reach_is_the_answer_and_no_error(county: County) -> None:
    county.set_secret(county.secret(1))

    answer = check()

    assert (answer.status, answer.body["ready"]) == (200, False)
    assert answer.body["fault"].startswith("its columns: ")
    assert [table["rows"] for table in answer.body["tables"]] == [None, None]


def test_an_invalid_check_is_refused_with_a_pointer(county: County) -> None:
    faulty = check(mapping=MAPPING.replace("pad_left", "padleft", 1))
    assert (faulty.status, faulty.body["type"]) == (422, "urn:terrafusion:problem:mapping-invalid")
    assert check(table="owners").body["errors"][0]["pointer"] == "/body/table"
    assert check(Role.AUDITOR).status == 403
