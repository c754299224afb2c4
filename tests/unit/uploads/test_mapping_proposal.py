"""The mapping proposed for an upload loads, reads its file, and says why."""

from functions.uploads.domain.mapping_proposal import KnownKeys, propose_mapping, signature_of
from shared.mapping import parse_mapping
from shared.mapping.proposal import SampledColumn, SampledTable

VALUES = SampledTable(
    "values.csv",
    (SampledColumn("PIN", ("P1", "P2")), SampledColumn("Total Value", ("1", "2")), SampledColumn("?", (None, "x"))),
)
SALES = SampledTable(
    "sales.csv",
    tuple(
        SampledColumn(name, values)
        for name, values in {
            "Deed": ("D1", "D2"),
            "APN": ("P1", "P2"),
            "Sale Date": ("2026-01-02", "2026-01-03"),
            "Price": ("1", "2"),
            "Validity": ("valid", "valid"),
        }.items()
    ),
)
NUMBERS = KnownKeys(sampled=2, parcel_number=2)


def test_a_parcel_number_is_looked_up() -> None:
    known = {"properties_operational": {"PIN": NUMBERS}}
    proposal = propose_mapping(VALUES, "values.csv", "king_wa", known, None)
    assert proposal is not None
    mapping = parse_mapping(proposal.mapping, partial=True)
    (table,) = mapping.table_mappings
    assert (table.target_table_name, table.primary_key_source_fields) == ("properties_operational", ("PIN",))
    assert list(mapping.lookups) == ["parcels"]
    assert {field.target for field in table.field_map} == {"property_id", "total_value"}
    reasons = {field.source: field.reason for field in proposal.fields}
    assert reasons["PIN"] == "2 of 2 sampled values of PIN are a parcel_number"
    assert reasons["?"].startswith("no field is known")


def test_new_sales_need_all_that_a_sale_has_and_say_that_they_are_added() -> None:
    proposal = propose_mapping(SALES, "sales.csv", "king_wa", {"sales": {"APN": NUMBERS}}, None)
    assert proposal is not None
    mapping = parse_mapping(proposal.mapping)  # strictly: it fills what a row needs
    assert mapping.table_mappings[0].target_table_name == "sales"
    assert proposal.notes == ["Rows that sales does not have yet are added."]


def test_nothing_is_proposed_where_nothing_tells_rows_apart() -> None:
    table = SampledTable("x.csv", (SampledColumn("colour", ("red", "red")),))
    assert propose_mapping(table, "x.csv", "king_wa", {}, None) is None


def test_the_signature_is_of_format_and_names() -> None:
    assert signature_of("csv", ["A ", "b"]) == signature_of("csv", ["a", "B"])
    assert len({signature_of(*case) for case in (("csv", ["a", "b"]), ("xlsx", ["a", "b"]), ("csv", ["b", "a"]))}) == 3
