"""Previews of a mapping on a few rows."""

from typing import Any

from shared.access import Role
from tests.gateway import Answer
from tests.integration.sync.county import MAPPING, County
from tests.integration.sync.test_approval import api
from tests.integration.sync.test_validations import LOOKUP, PARCELS, SALES

PREVIEW = "/v1/counties/{county_id}/mapping/preview"
ROW: dict[str, Any] = {"id": "7", "pin": "P7 ", "class": "R", "built": "1950", "value": "$1,000", "note": None}


def preview(role: Role = Role.IT_ADMIN, **body: Any) -> Answer:
    return api("POST", PREVIEW, role=role, body=body)


def test_rows_that_are_given_are_shown_beside_their_result_and_reasons(county: County) -> None:
    bad = {**ROW, "id": "8", "built": "19x7", "class": "Z", "spare": "s"}

    shown = preview(rows=[ROW, bad, ROW]).body

    assert shown["table"] == "properties_operational"
    assert (shown["rejected"], shown["warned"], shown["unmapped_columns"]) == (2, 0, ["spare"])
    first, second, third = shown["rows"]
    assert first["source_row"] == {**ROW, "spare": None}
    assert first["result"] == {
        "property_id": "000007", "parcel_number": "P7", "property_class": "residential", "year_built": "1950",
        "total_value": "1000.00", "attributes": None,
    }  # fmt: skip
    assert [reason["rule"] for reason in second["rejected"]] == ["value_map", "type"]
    assert [reason["rule"] for reason in third["rejected"]] == ["duplicate_key"]


def test_some_rows_of_the_source_are_tried_with_a_mapping_that_is_not_stored(county: County) -> None:
    county.change("CREATE TABLE grade (code text, label text); INSERT INTO grade VALUES ('A', 'good')")
    county.change_whole("UPDATE parcel SET spare = 'A', note = repeat('x', 5000)")
    field = (
        "      - {source: spare, target: quality, type: string,"
        " transformations: [{type: lookup, table: grades, column: label}]}\n"
    )
    before = county.query("SELECT mapping, version FROM counties")

    shown = preview(mapping=PARCELS + field + SALES + LOOKUP, sample_size=3).body

    assert [row["result"]["quality"] for row in shown["rows"]] == ["good"] * 3
    assert len(shown["rows"][0]["source_row"]["note"]) == 2003
    assert county.query("SELECT mapping, version FROM counties") == before
    assert county.object_keys("") == []
    assert county.query("SELECT count(*) FROM jobs") == [(0,)]


def test_an_invalid_preview_is_refused_with_a_pointer(county: County) -> None:
    faulty = preview(mapping=MAPPING.replace("pad_left", "padleft", 1))
    assert (faulty.status, faulty.body["type"]) == (422, "urn:terrafusion:problem:mapping-invalid")
    assert "did you mean pad_left?" in faulty.body["errors"][0]["detail"]
    assert faulty.body["errors"][0]["line"] == 11

    assert preview(table="owners").body["errors"][0]["pointer"] == "/body/table"
    lacking = preview(rows=[{"id": "1"}])
    assert (lacking.status, lacking.body["errors"][0]["pointer"]) == (422, "/body/rows")
    assert "no column built, class, note, pin, value" in lacking.body["detail"]
    assert preview(rows=[]).status == 422
    assert preview(sample_size=101).status == 422
    county.set_secret(county.secret(1))
    assert preview().status == 502
    assert preview(rows=[ROW]).status == 200


def test_only_who_manages_the_county_sees_source_rows(county: County) -> None:
    assert preview(Role.AUDITOR, rows=[ROW]).status == 403
