"""Definitions of the map layers."""

import subprocess
import sys

import pytest

from shared.db.models import Sale
from shared.layers import STATIC_LAYERS, Layer
from shared.layers.loaded import _layer
from shared.layers.sales import VALIDITY_CODES

LAYERS = pytest.mark.parametrize("layer", STATIC_LAYERS.values(), ids=list(STATIC_LAYERS))


@LAYERS
def test_a_layer_has_its_key_and_no_column_twice(layer: Layer) -> None:
    assert layer.key_column.kind == "text"
    assert len(layer.columns_by_name) == len(layer.columns)


@LAYERS
def test_no_layer_names_owners_buyers_or_sellers_or_opens_free_attributes(layer: Layer) -> None:
    sql = " ".join((layer.tables, layer.condition, layer.shape, *(column.expression for column in layer.columns)))
    for private in ("owners", "buyer", "seller", "attributes", "mailing"):
        assert private not in sql


@pytest.mark.parametrize("name", ["roads", "Rock 'n' roll", ":p %s {county_id} \\ 日本 😀"])
def test_a_loaded_layer_is_described_with_any_names_of_its_fields(name: str) -> None:
    fields = [{"name": name, "title": "", "kind": "integer"}, {"name": "Name", "title": "N", "kind": "text"}]
    layer = _layer("a_layer", "A layer", "line", fields)
    assert list(layer.columns_by_name) == ["district_id", name, "Name"]
    expression = layer.columns_by_name[name].expression
    assert not set(":%{}") & set(expression)
    assert expression.count("'") == 2
    assert layer.geometry == "line"


def test_codes_of_validity_are_those_that_the_table_is_documented_with() -> None:
    documented = (Sale.__doc__ or "").split("one of ")[1].rstrip(". \n").split(", ")
    assert {code for code, _ in VALIDITY_CODES.codes} == {*documented, "invalid"}


def test_layers_are_described_without_numpy() -> None:
    program = "import sys, shared.layers; print('numpy' in sys.modules or 'sqlalchemy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
