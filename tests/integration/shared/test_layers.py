"""Map layers read from a database."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import shapely
from sqlalchemy import insert, text

from shared.db import unit_of_work
from shared.db.models import District, DistrictLayer, SaleDecision, ValuationApproval, ValuationRun, ValuationRunResult
from shared.layers.loaded import read_layers
from tests.conftest import MigratedDatabase
from tests.integration.evidence_county import COUNTY, add_county, add_evidence

OLD_RUN, NEW_RUN, UNFINISHED = (UUID(int=number) for number in (1, 2, 3))


@pytest.fixture
def county(database: MigratedDatabase) -> None:
    add_county()
    add_evidence()


def features(name: str) -> dict[str, dict[str, Any]]:
    """The rows of a layer by key, column by column."""
    with unit_of_work(COUNTY) as connection:
        layer = read_layers(connection, COUNTY)[name]
        columns = ", ".join(column.expression for column in layer.columns)
        rows = connection.execute(
            text(f"SELECT {columns}, {', '.join(layer.bounds)} FROM {layer.rows_sql(':county_id')}"),
            {"county_id": COUNTY},
        )
        named = [
            dict(zip((*layer.columns_by_name, "west", "south", "east", "north"), row, strict=True)) for row in rows
        ]
        return {row[layer.key]: row for row in named}


def add(model: Any, *rows: dict[str, Any]) -> None:
    with unit_of_work(COUNTY) as connection:
        connection.execute(insert(model), [{"county_id": COUNTY, **row} for row in rows])


def run(run_id: UUID, day: date, valued: int | None) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "valuation_date": day,
        "models": [],
        "data_version": "",
        "properties": 1,
        "valued": valued,
    }


def result(run_id: UUID, property_id: str, estimate: int, **values: Any) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "property_id": property_id,
        "partition_no": 0,
        "property_class": "residential",
        "current_value": 100_000,
        "estimate": estimate,
        "review": False,
        "flags": [],
        "neighborhood": "N1",
        **values,
    }


def approval(number: int, run_id: UUID, roll_year: int, **values: Any) -> dict[str, Any]:
    return {
        "approval_id": UUID(int=100 + number),
        "run_id": run_id,
        "roll_year": roll_year,
        "filter": {},
        "assessments": 1,
        "properties": 1,
        "approved_by": "a",
        "skipped": {},
        "undone_at": None,
        **values,
    }


def test_parcels_and_sales_are_those_of_the_current_roll(county: None) -> None:
    assert len(features("parcels")) == 500
    sales = features("sales")
    assert len(sales) == 504
    assert sales["X0"]["validity"] == sales["X0"]["validity_code"] == "not_arms_length"


def test_a_decision_on_a_sale_goes_before_the_countys_code(county: None) -> None:
    decision = {"decision": "invalid", "note": "", "validity_code": "valid", "row_hash": "", "rules": []}
    add(
        SaleDecision,
        {"decision_id": UUID(int=9), "sale_id": "S0001", "request_digest": "", "decided_by": "a"} | decision,
    )
    sale = features("sales")["S0001"]
    assert (sale["validity_code"], sale["validity"]) == ("valid", "invalid")


def test_a_ratio_of_a_sale_is_the_assessed_value_divided_by_its_price(county: None) -> None:
    parcel, sale = features("parcels")["P0001"], features("sales")["S0001"]
    assert sale["ratio"] == pytest.approx(parcel["total_value"] / sale["sale_price"])


def test_values_are_the_newest_of_a_finished_run_with_change_ratio_and_approval(county: None) -> None:
    add(
        ValuationRun,
        run(OLD_RUN, date(2025, 1, 1), 2),
        run(NEW_RUN, date(2026, 1, 1), 2),
        run(UNFINISHED, date(2026, 6, 1), None),
    )
    add(
        ValuationRunResult,
        result(OLD_RUN, "P0001", 90_000),
        result(OLD_RUN, "P0002", 80_000),
        result(NEW_RUN, "P0001", 125_000),
        result(UNFINISHED, "P0001", 1),
    )
    undone = {"undone_at": datetime(2026, 2, 1, tzinfo=UTC)}
    add(
        ValuationApproval,
        approval(1, NEW_RUN, 2026, filter={"property_classes": ["residential"], "review": False}),
        approval(2, NEW_RUN, 2027, filter={"neighborhoods": ["another"]}),
        approval(3, NEW_RUN, 2028, **undone),
        approval(4, OLD_RUN, 2029, filter={"review": True}),
    )
    values, sales = features("values"), features("sales")
    assert set(values) == {"P0001", "P0002"}
    newest = values["P0001"]
    assert (newest["estimate"], newest["valuation_date"]) == (Decimal(125_000), date(2026, 1, 1))
    assert newest["change_percent"] == 25
    assert newest["ratio"] == pytest.approx(Decimal(125_000) / sales["S0001"]["sale_price"])
    assert [values[key]["approved_for"] for key in ("P0001", "P0002")] == [2026, None]


def loaded_layer(name: str, geometry_type: str, *fields: tuple[str, str]) -> dict[str, Any]:
    return {
        "layer": name,
        "title": f"The {name}",
        "kind": "fire",
        "geometry_type": geometry_type,
        "source": {},
        "version": 1,
        "loaded_by": "a",
        "fields": [{"name": n, "title": n, "kind": k} for n, k in fields],
    }


def district(layer: str, district_id: str, attributes: dict[str, Any], **values: Any) -> dict[str, Any]:
    return {
        "layer": layer,
        "district_id": district_id,
        "name": district_id,
        "attributes": attributes,
        "geometry": shapely.to_wkb(shapely.box(0, 1, 2, 3)),
        "west": 0,
        "south": 1,
        "east": 2,
        "north": 3,
        "valid_from": date(2020, 1, 1),
        "valid_to": None,
        **values,
    }


def test_a_loaded_layer_has_its_present_features_with_typed_attributes(county: None) -> None:
    kinds = (("Stations ':%", "integer"), ("rate", "real"), ("since", "date"), ("at", "datetime"), ("paid", "boolean"))
    add(DistrictLayer, loaded_layer("fire", "polygon", *kinds, ("name", "text")), loaded_layer("roads", "line"))
    attributes = {"Stations ':%": 3_000_000_000, "rate": 0.5, "since": "2001-02-03", "at": "2001-02-03T04:05:06Z"}
    add(
        District,
        district("fire", "F1", {**attributes, "paid": True, "name": "Its name"}),
        district("fire", "F2", {"rate": None}),
        district("fire", "F3", {}, valid_to=date(2021, 1, 1)),
        district("fire", "F4", {}, valid_from=date(2990, 1, 1)),
        district("roads", "R1", {}),
    )
    fire = features("fire")
    assert set(fire) == {"F1", "F2"}
    assert fire["F1"] == {
        "district_id": "F1",
        "Stations ':%": 3_000_000_000,
        "rate": 0.5,
        "since": date(2001, 2, 3),
        "at": datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC),
        "paid": True,
        "name": "Its name",
        "west": 0,
        "south": 1,
        "east": 2,
        "north": 3,
    }
    assert fire["F2"]["rate"] is None
    assert set(features("districts")) == {"fire/F1", "fire/F2"}
