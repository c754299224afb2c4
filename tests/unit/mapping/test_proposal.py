"""A first mapping, guessed from a source's names and values."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.cli.commands.source_sample import sampled_file
from infra.settings import ROOT
from shared.mapping import CountyMapping, parse_mapping
from shared.mapping.proposal import SampledColumn, SampledTable, propose
from shared.mapping.targets import target_tables

DATA = ROOT / "infra" / "examples" / "legacy" / "data"


def table(name: str, key: tuple[str, ...] = (), /, **columns: list[str | None]) -> SampledTable:
    return SampledTable(name, tuple(SampledColumn(each, tuple(values)) for each, values in columns.items()), key)


def proposed(*tables: SampledTable) -> CountyMapping:
    return parse_mapping(propose(tables, "benton_wa", "FILES"))


def filled(mapping: CountyMapping, target: str) -> dict[str, tuple[str, ...]]:
    return {field.target: field.sources for field in mapping.table(target).field_map}


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        (
            "king_county_wa_sales.csv.gz",
            {"living_area_sqft": "sqft_living", "year_built": "yr_built", "quality": "grade"},
        ),
        (
            "lucas_county_oh_sales.csv.gz",
            {"parcel_number": "parcel_id", "living_area_sqft": "TLA", "total_value": "avalue"},
        ),
    ],
)
def test_a_public_sales_file_is_mapped_to_properties_and_sales(file: str, expected: dict[str, str]) -> None:
    mapping = proposed(sampled_file(DATA / file))

    properties = filled(mapping, "properties_operational")
    assert {target: properties[target] for target in expected} == {t: (source,) for t, source in expected.items()}
    sales = filled(mapping, "sales")
    assert len(sales["sale_id"]) == 2  # a parcel is sold more than once
    assert sales["sale_price"] == ("price",)


def test_each_guess_has_its_reason_as_a_comment() -> None:
    written = propose(
        [table("parcels", PIN=["1", "2"], YrBuilt=["1950", "1960"], odd=["a", "b"])], "benton_wa", "FILES"
    )

    lines = written.splitlines()
    field = next(n for n, line in enumerate(lines) if "target: year_built" in line)
    assert "YrBuilt is what many systems call it; every value is a number; such as 1950, 1960" in lines[field - 1]
    assert "what no field names: odd" in written
    assert "PIN comes only once in 2 rows" in written


def test_values_that_do_not_bear_a_name_out_are_not_mapped() -> None:
    mapping = proposed(table("parcels", PIN=["1", "2"], year_built=["new", "1960"], sale_date=["soon", "later"]))

    assert "year_built" not in filled(mapping, "properties_operational")


@pytest.mark.parametrize(("values", "is_mapped"), [(["true", "F"], True), (["Y", "n"], True), (["secret", ""], False)])
def test_a_flag_is_mapped_where_its_values_are_yes_and_no(values: list[str], is_mapped: bool) -> None:
    columns: dict[str, list[str | None]] = {"PIN": ["1", "2"], "OwnerName": ["A", "B"], "Confidential": [*values]}
    columns["OwnerID"] = ["1", "2"]
    assert ("confidential" in filled(proposed(table("owners", **columns)), "owners")) is is_mapped


def test_a_database_s_own_key_is_taken() -> None:
    mapping = proposed(
        table("Account", ("ACCT", "ROLL"), ACCT=["1", "1"], ROLL=["A", "B"]),
        table("Sale", ("SALE_ID",), SALE_ID=["1"], PARID=["1"], SALEDT=["01/31/2015"], PRICE=["$1,000"]),
    )

    assert mapping.table("properties_operational").primary_key_source_fields == ("ACCT", "ROLL")
    assert mapping.table("sales").primary_key_source_fields == ("SALE_ID",)
    date = next(field for field in mapping.table("sales").field_map if field.target == "sale_date")
    assert [step.type for step in date.transformations] == ["parse_date"]


def test_what_looks_like_none_of_our_tables_is_said() -> None:
    with pytest.raises(ValueError, match="colours: properties_operational needs property_id"):
        propose([table("colours", colour=["red", "red"])], "benton_wa", "FILES")
    written = propose([table("parcels", PIN=["1"]), table("colours", colour=["red", "red"])], "benton_wa", "FILES")
    assert "# left out: colours" in written


TABLES = ["parcels", "sales", "owner: x", "é"]
NAMES = [name for target in target_tables().values() for name in target.columns]
NAMES += ["a b", 'q"x', "on", "é", "#", "a: b"]
VALUES = st.sampled_from([None, "1", "0", "2.5", "$1,000", "2015-01-31", "x", "a # b", "a: 'b'", "ü", "\t", "a\nb"])


@settings(max_examples=60)
@given(st.data())
def test_whatever_is_proposed_loads_without_a_fault(data: st.DataObject) -> None:
    tables = []
    for name in data.draw(st.lists(st.sampled_from(TABLES), min_size=1, max_size=3, unique=True)):
        names = data.draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=12, unique=True))
        rows = data.draw(st.integers(1, 4))
        columns = {each: data.draw(st.lists(VALUES, min_size=rows, max_size=rows)) for each in names}
        tables.append(table(name, **columns))
    try:
        written = propose(tables, "benton_wa", "FILES")
    except ValueError:
        return
    assert parse_mapping(written).table_mappings


def test_files_of_every_kind_are_sampled(tmp_path: Path) -> None:
    import polars as pl
    from openpyxl import Workbook

    frame = pl.DataFrame({"pin": [1, 2], "area": [1.0, 2.5]})
    frame.write_parquet(tmp_path / "parcels.parquet")
    (tmp_path / "parcels.csv").write_bytes("pin;area\n1;1,5\n2;\n".encode("cp1252"))
    book = Workbook()
    for row in (["pin", "area"], [1, 1.5], [2, None]):
        book.active.append(row)  # type: ignore[union-attr]
    book.save(tmp_path / "parcels.xlsx")

    for suffix, area in (("parquet", ("1", "2.5")), ("csv", ("1,5", None)), ("xlsx", ("1.5", None))):
        sampled = sampled_file(tmp_path / f"parcels.{suffix}")
        assert [(column.name, column.values) for column in sampled.columns] == [("pin", ("1", "2")), ("area", area)]
