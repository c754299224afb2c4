"""Names of columns in formats that take short ones."""

import re

from hypothesis import given
from hypothesis import strategies as st

from functions.gis_export.domain.column_names import short_names
from functions.gis_export.domain.formats import FORMATS
from functions.gis_export.domain.layer_file import FileLayer
from functions.gis_export.domain.shapes import LayerPart
from infra.settings import ROOT
from shared.layers import STATIC_LAYERS


@given(st.lists(st.text(max_size=15), unique=True, max_size=40))
def test_short_names_are_plain_different_in_any_case_and_always_the_same(names: list[str]) -> None:
    short = short_names(names, 10, {"select"})
    assert list(short) == names
    assert all(re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,9}", name) for name in short.values())
    assert len({name.casefold() for name in short.values()}) == len(names)
    assert "select" not in {name.casefold() for name in short.values()}
    assert short_names(names, 10, {"select"}) == short


def test_names_that_collide_at_ten_characters_are_numbered_in_their_order() -> None:
    names = ["sale_price_adjusted", "sale_price_paid", "SALE_PRICE", "select"]
    assert list(short_names(names, 10, {"select"}).values()) == ["sale_price", "sale_pri_1", "SALE_PRI_2", "select_"]


def test_a_shapefile_of_parcels_has_these_names() -> None:
    layer = FileLayer.of(STATIC_LAYERS["parcels"], LayerPart("point", "Point"), FORMATS["shapefile"])
    renamed = {column.column.name: column.name for column in layer.renamed}
    assert renamed["land_area_sqft"] == "land_area_"
    assert (renamed["last_sale_date"], renamed["last_sale_price"]) == ("last_sale_", "last_sal_1")


def test_the_page_lists_every_format_as_it_is_written() -> None:
    page = (ROOT / "functions/gis_export/README.md").read_text(encoding="utf-8")
    expected = []
    for each in FORMATS.values():
        crs = "WGS 84" if each.wgs84_only else "any EPSG code"
        expected.append(f"| `{each.name}` | `{each.archive or each.suffix}` | {crs} | {each.notes} |")
    assert [line for line in page.splitlines() if line.startswith("| `")] == expected
