"""Commands that are made from the API's description."""

from typing import Any

import pytest
import typer

from infra.cli.commands.api_description import COUNTY, document, request_schema
from infra.cli.commands.request_options import request_body, request_options
from infra.cli.commands.results import results_shown
from infra.cli.session import console

COLLECTIONS = ["ratio-studies", "market-analyses", "sales-validations", "reports", "gis-exports", "valuation-models"]


def body(collection: str, **typed: Any) -> dict[str, Any]:
    return request_body(request_options(request_schema(f"{COUNTY}/{collection}")), typed)


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_every_member_of_a_body_has_an_option(collection: str) -> None:
    schema = request_schema(f"{COUNTY}/{collection}")

    options = request_options(schema)

    assert {option.path[0] for option in options} == set(schema["properties"])
    assert len({option.name for option in options}) == len(options)


def test_what_is_typed_becomes_what_the_api_reads() -> None:
    assert body(
        "ratio-studies", value_source="roll", roll_year="1998", from_="1997-01-01", strata=["city"], trim=False,
        property_kinds=["R=residential", "C=income"], confidence="0.9",
    ) == {
        "value_source": "roll", "roll_year": 1998, "from": "1997-01-01", "strata": ["city"], "trim": False,
        "property_kinds": {"R": "residential", "C": "income"}, "confidence": 0.9,
    }  # fmt: skip


def test_members_of_an_object_are_options_of_their_own() -> None:
    assert body("reports", report_type="assessment_roll_summary", roll_year="1998") == {
        "report_type": "assessment_roll_summary",
        "parameters": {"roll_year": 1998},
    }
    assert body("gis-exports", bbox="-122.45,47.5,-122.2,47.7")["bbox"] == [-122.45, 47.5, -122.2, 47.7]


def test_what_is_not_typed_is_left_to_the_api() -> None:
    assert body("ratio-studies") == {}


@pytest.mark.parametrize(("option", "typed"), [("roll_year", "x"), ("confidence", "y"), ("property_kinds", ["R"])])
def test_what_cannot_be_json_is_refused_by_its_option(option: str, typed: Any) -> None:
    with pytest.raises(typer.BadParameter, match="--" + option.replace("_", "-")):
        body("ratio-studies", **{option: typed})


def test_results_of_any_kind_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    results = {
        "sales": 20_281, "flags": {"flip": 3}, "notes": ["one", "two"], "nothing": None,
        "groups": [{"group": "N1", "sales": 12, "months": [1, 2, 3]}, {"group": "N2", "sales": None}],
    }  # fmt: skip

    console().print(results_shown("sales_validation", results))

    shown = capsys.readouterr().out
    assert all(part in shown for part in ("20,281", "flags flip", "one, two", "N1", "N2", "groups"))


def test_the_description_that_commands_are_made_from_is_there() -> None:
    assert f"{COUNTY}/ratio-studies" in document()["paths"]
