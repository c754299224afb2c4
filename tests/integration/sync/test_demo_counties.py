"""The two legacy systems and their mappings return the data with which the systems were filled."""

import csv
import gzip
import json
from collections import Counter
from decimal import Decimal
from functools import cache
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy.engine import URL

from functions.sync.run_data import source_table
from infra.examples import legacy
from infra.examples.counties import mapping_text
from infra.local.postgres import LocalPostgres
from shared.mapping import parse_mapping
from shared.mapping.compile.tables import MappedRows, compile_table
from shared.sources import KeyRange
from shared.sources.sql import SqlSource
from tests.unit.mapping.mappings import TODAY

DATA = Path(legacy.__file__).parent / "data"


@pytest.fixture(scope="module")
def systems(postgres_server: LocalPostgres) -> dict[str, URL]:
    """Both legacy databases."""
    return legacy.build(postgres_server.owner_url("postgres"))


@cache
def original(county_id: str) -> list[dict[str, str]]:
    with gzip.open(DATA / legacy.COUNTIES[county_id].data, "rt") as file:
        return list(csv.DictReader(file))


@cache
def mapped(system: URL, county_id: str, target: str) -> MappedRows:
    """A target's rows, read and mapped as a sync does."""
    mapping = parse_mapping(mapping_text(county_id))
    table = source_table(mapping.table(target))
    source = SqlSource(system.update_query_dict({"sslmode": "disable"}))
    try:
        frame = source.read(table, source.schema(table), KeyRange(None, None)).frame()
    finally:
        source.close()
    return compile_table(mapping, target, today=TODAY).apply(frame)


def rules(rows: MappedRows) -> Counter[str]:
    return Counter(reason["rule"] for reasons in rows.rejected["reasons"] for reason in json.loads(reasons)[:1])


def test_building_the_systems_again_finds_them(systems: dict[str, URL], postgres_server: LocalPostgres) -> None:
    assert legacy.build(postgres_server.owner_url("postgres")) == systems


def test_king_county_has_every_parcel_as_its_latest_sale_describes_it(systems: dict[str, URL]) -> None:
    latest = {row["id"]: row for row in sorted(original("king_wa"), key=lambda row: (row["id"], row["date"]))}
    rows = mapped(systems["king_wa"], "king_wa", "properties_operational").good

    assert rows.height == len(latest) == 19_319
    for row in rows.select(
        "parcel_number", "living_area_sqft", "land_area_sqft", "year_built", "longitude", "latitude", "neighborhood",
        "bedrooms", "bathrooms", "stories", "last_sale_price", "total_value", "attributes",
    ).iter_rows(named=True):  # fmt: skip
        sale = latest[row["parcel_number"]]
        assert row["living_area_sqft"] == Decimal(sale["sqft_living"])
        assert row["land_area_sqft"] == Decimal(sale["sqft_lot"])
        assert row["year_built"] == int(sale["yr_built"])
        assert (row["longitude"], row["latitude"]) == (float(sale["long"]), float(sale["lat"]))
        assert row["neighborhood"] == sale["zipcode"]
        # 0 stands for "not known"
        assert (row["bedrooms"] or 0, row["bathrooms"] or 0) == (Decimal(sale["bedrooms"]), Decimal(sale["bathrooms"]))
        assert row["stories"] == Decimal(sale["floors"])
        assert row["last_sale_price"] == Decimal(sale["price"])
        assert row["total_value"] is None
        attributes = json.loads(row["attributes"])
        assert (attributes["grade"], attributes["condition_code"]) == (int(sale["grade"]), int(sale["condition"]))
        assert attributes.get("view", 0) == int(sale["view"])
        near = (attributes["near_living_sqft"], attributes["near_lot_sqft"])
        assert near == (int(sale["sqft_living15"]), int(sale["sqft_lot15"]))


def test_lucas_county_has_every_parcel_with_the_countys_appraisal(systems: dict[str, URL]) -> None:
    parcels = {row["parcel_id"]: row for row in original("lucas_oh")}
    words = {"one": "1", "one+half": "1.5", "two": "2", "two+half": "2.5", "three": "3"}
    rows = mapped(systems["lucas_oh"], "lucas_oh", "properties_operational").good

    assert rows.height == len(parcels) == 22_878
    for row in rows.iter_rows(named=True):
        parcel = parcels[row["property_id"]]
        assert row["living_area_sqft"] == Decimal(parcel["TLA"])  # on two cards too
        assert row["total_value"] == Decimal(parcel["avalue"])
        assert row["bathrooms"] == Decimal(parcel["baths"]) + Decimal(parcel["halfbaths"]) / 2
        stories = words.get(parcel["stories"])
        assert row["stories"] == (None if stories is None else Decimal(stories))
        assert row["last_sale_date"].isoformat() == parcel["sale_date"]
        assert len(row["neighborhood"]) == 4


@pytest.mark.parametrize(("county_id", "key"), [("king_wa", "id"), ("lucas_oh", "parcel_id")])
def test_the_valid_sales_are_those_of_the_data_and_no_others(systems: dict[str, URL], county_id: str, key: str) -> None:
    numbers = dict(
        mapped(systems[county_id], county_id, "properties_operational")
        .good.select("property_id", "parcel_number")
        .rows()
    )
    sales = mapped(systems[county_id], county_id, "sales").good
    valid = sales.filter(pl.col("validity_code") == "valid")

    counts = Counter(
        (numbers[parcel], day.isoformat(), price)
        for parcel, day, price in valid.select("property_id", "sale_date", "sale_price").iter_rows()
    )
    day = "date" if county_id == "king_wa" else "sale_date"
    assert counts == Counter((row[key], row[day], Decimal(row["price"])) for row in original(county_id))
    others = set(sales["validity_code"]) - {"valid"}
    assert {"nominal_price", "multi_parcel"} <= others
    assert sales.filter(pl.col("validity_code") == "nominal_price")["sale_price"].max() == 10


def test_a_deed_over_several_parcels_is_a_sale_of_each_with_the_same_price(systems: dict[str, URL]) -> None:
    for county_id in ("king_wa", "lucas_oh"):
        deeds = mapped(systems[county_id], county_id, "sales").good.filter(pl.col("validity_code") == "multi_parcel")
        by_deed = deeds.group_by("instrument_number").agg(pl.len(), pl.col("sale_price").n_unique())
        assert by_deed.height > 30
        assert set(by_deed["len"]) == {2}
        assert set(by_deed["sale_price"]) == {1}
        assert set(deeds["parcel_count"]) == {2}


def test_the_assessments_of_lucas_county_are_at_its_level(systems: dict[str, URL]) -> None:
    rows = mapped(systems["lucas_oh"], "lucas_oh", "assessments").good
    assert set(rows["roll_year"]) == {1998}
    # Ohio assesses at 35 %, rounded to a dollar
    level = rows["assessed_value"].cast(pl.Float64) - rows["total_value"].cast(pl.Float64) * 0.35
    assert (level.abs() <= 0.51).all()


@pytest.mark.parametrize(
    ("county_id", "target", "expected"),
    [
        ("king_wa", "properties_operational", {"range": 3, "value_map": 1, "required": 1}),
        ("king_wa", "improvements", {"range": 1}),
        ("king_wa", "sales", {"range": 2}),
        ("lucas_oh", "properties_operational", {"type": 2, "range": 2, "value_map": 1, "required": 1}),
        ("lucas_oh", "improvements", {"type": 1, "range": 1}),
        ("lucas_oh", "sales", {"parse_date": 1, "parse_number": 1, "range": 1}),
        ("lucas_oh", "assessments", {}),
    ],
)
def test_only_the_rows_that_are_wrong_are_rejected(
    systems: dict[str, URL], county_id: str, target: str, expected: dict[str, int]
) -> None:
    assert rules(mapped(systems[county_id], county_id, target)) == Counter(expected)
