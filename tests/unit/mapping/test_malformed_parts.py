"""One answer names a mapping's faults of form and of sense, and none that only follows from another."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.mapping import MappingError, parse_mapping
from shared.mapping.language.document import path_text
from shared.mapping.language.errors import Path

EVERY_STAGE = """\
source_system_type: TESTING
target_schema_version: "9"
county_id_default: benton_wa
table_mappings:
  - source_table_name: parcels
    target_table_name: properties_operational
    primary_key_source_fields: [id]
    primary_key_target_fields: [property_id]
    watermark: changed
    field_map:
      - {source: id, target: property_id, type: strin}
      - {source: a, target: latitud, type: float}
      - {source: a, target: year_built, type: integer, requierd: true}
      - {source: a, target: condition, type: string, transformations: [{type: value_map, map: malformed}]}
      - {source: a, target: quality, type: string, transformations: [{type: value_map, map: absent}]}
      - {source: !!binary aGVsbG8=, target: neighborhoods, type: string}
    validations:
      - {rule: range, field: year_built, min: old}
      - {rule: range, field: property_id, min: 1}
      - {rule: rang, field: condition}
      - {rule: required, field: neighborhoods}
      - {rule: required, field: longitude}
  - {source_table_name: sales, target_table_name: sale, primary_key_source_fields: [id],
     primary_key_target_fields: [sale_id], field_map: [{target: amount, type: string}]}
  - sales
value_maps:
  malformed: {a: [1]}
lookups:
  doubled: {source_table_name: codes, key: a, columns: a}
"""


def test_faults_of_every_stage_are_told_at_once() -> None:
    with pytest.raises(MappingError) as error:
        parse_mapping(EVERY_STAGE)
    assert [(item.line, item.path) for item in error.value.diagnostics] == [
        (2, "target_schema_version"),
        (9, "table_mappings[0].watermark"),
        (11, "table_mappings[0].field_map[0].type"),
        (12, "table_mappings[0].field_map[1].target"),
        (13, "table_mappings[0].field_map[2].requierd"),
        (15, "table_mappings[0].field_map[4].transformations[0].map"),
        (16, "table_mappings[0].field_map[5].source"),
        (16, "table_mappings[0].field_map[5].target"),
        (18, "table_mappings[0].validations[0].min"),
        (20, "table_mappings[0].validations[2]"),
        (22, "table_mappings[0].validations[4]"),
        (23, "table_mappings[1].target_table_name"),
        (24, "table_mappings[1].field_map[0]"),
        (25, "table_mappings[2]"),
        (27, "value_maps.malformed.a"),
        (29, "lookups.doubled.columns"),
    ]


def _field(target: str, type_: str = "string", *transformations: dict[str, Any], source: Any = "a") -> dict[str, Any]:
    return {"source": source, "target": target, "type": type_, "transformations": list(transformations)}


PROPERTIES = {
    "source_table_name": "parcels",
    "target_table_name": "properties_operational",
    "primary_key_source_fields": ["id"],
    "primary_key_target_fields": ["property_id"],
    "watermark_field": "changed",
    "attributes": {"unmapped": "keep"},
    "field_map": [
        _field("property_id"),
        _field("condition", "string", {"type": "value_map", "map": "conditions"}),
        _field("quality", "string", {"type": "lookup", "table": "qualities", "column": "text"}),
        _field("year_built", "integer"),
        {"source": "a", "target": "county_id", "type": "string", "default_from_config": "county_id_default"},
        _field("land_value", "money"),
        _field("total_value", "money"),
        _field("attributes.view"),
        _field("latitud", "float"),
        _field("longitude", "boolean"),
        _field("bedrooms", "integer", source=["a", "b"]),
        _field("neighborhood", "string", {"type": "value_map", "map": "absent"}),
        _field("situs_zip", "string", {"type": "lookup", "table": "absent", "column": "text"}),
    ],
    "validations": [
        {"rule": "range", "field": "year_built", "min": "1700"},
        {"rule": "compare", "field": "land_value", "operator": "<=", "other": "total_value"},
        {"rule": "matches", "field": "condition", "pattern": "[a-z]+"},
        {"rule": "total", "field": "total_value", "parts": ["land_value", "bedrooms"]},
        {"rule": "unique", "fields": ["property_id", "attributes.view"]},
        {"rule": "required", "field": "no_column"},
        {"rule": "reference", "field": "property_id", "table": "parcels"},
    ],
}
SALES = {
    "source_table_name": "deeds",
    "target_table_name": "sales",
    "primary_key_source_fields": ["id"],
    "primary_key_target_fields": ["sale_id"],
    "field_map": [
        _field("sale_id"),
        _field("property_id"),
        _field("validity_code"),
        _field("sale_date", "date"),
        _field("sale_price", "boolean"),
    ],
    "validations": [{"rule": "reference", "field": "property_id", "table": "properties_operational"}],
}
MAPPING: dict[str, Any] = {
    "source_system_type": "TESTING",
    "target_schema_version": "1.1",
    "county_id_default": "Benton",
    "table_mappings": [PROPERTIES, SALES],
    "value_maps": {"conditions": {"1": "good"}, "others": {"1": "x"}},
    "lookups": {
        "qualities": {"source_table_name": "codes", "key": ["code"], "columns": ["text"]},
        "doubled": {"source_table_name": "codes", "key": ["code"], "columns": ["code"]},
    },
}
"""Well formed, with faults of sense that do not depend on one another, and elements that refer to each other."""


def _faults(mapping: dict[str, Any]) -> set[tuple[str, str]]:
    """Paths and messages, without hints at what there is instead."""
    with pytest.raises(MappingError) as error:
        parse_mapping(json.dumps(mapping))  # YAML, too
    return {(item.path, item.message.partition("; ")[0]) for item in error.value.diagnostics}


def _elements() -> list[Path]:
    """The paths of all that can be malformed while the rest stands."""
    result: list[Path] = [(key,) for key in ("source_system_type", "target_schema_version", "county_id_default")]
    for index, table in enumerate(MAPPING["table_mappings"]):
        path: Path = ("table_mappings", index)
        result += [(*path, key) for key in table if key not in {"field_map", "validations", "target_table_name"}]
        result += [(*path, key, place) for key in ("field_map", "validations") for place in range(len(table[key]))]
    return result + [(key, name) for key in ("value_maps", "lookups") for name in MAPPING[key]]


WHOLES: list[Path] = [
    ("value_maps",), ("lookups",), ("table_mappings",), ("table_mappings", 0), ("table_mappings", 1),
    ("table_mappings", 0, "target_table_name"), ("table_mappings", 1, "target_table_name"),
    ("table_mappings", 0, "field_map"), ("table_mappings", 0, "validations"), ("table_mappings", 1, "field_map"),
]  # fmt: skip
"""Parts whose faults hide those of what lies in them, or of what needs them."""

REQUIRED = {"target", "type", "rule", "field", "fields", "key", "columns"}


@st.composite
def breaks(draw: st.DrawFn, paths: list[Path]) -> tuple[Path, dict[str, Any]]:
    """The path of an element, and the mapping in which it is malformed."""
    path = draw(st.sampled_from(paths))
    mapping = copy.deepcopy(MAPPING)
    holder: Any = mapping
    for part in path[:-1]:
        holder = holder[part]
    element, junk = holder[path[-1]], draw(st.sampled_from([{"no": ["such"]}, [["such"]]]))
    inner = sorted(element) if isinstance(element, dict) and path != ("table_mappings",) else []
    match draw(st.sampled_from(["replaced", "renamed", "unknown key", "part replaced", "part missing"])):
        case "unknown key" if inner and path[0] != "value_maps":
            element["no_key"] = junk
        case "part replaced" if inner and len(path) != 1:
            element[draw(st.sampled_from(inner))] = junk
        case "part missing" if REQUIRED & set(inner):
            del element[draw(st.sampled_from(sorted(REQUIRED & set(inner))))]
        case "renamed" if isinstance(path[-1], str) and path[0] != "value_maps" and len(path) != 2:
            holder[f"no_{path[-1]}"] = holder.pop(path[-1])
        case _:
            holder[path[-1]] = [["such"]] if isinstance(element, dict) else {"no": ["such"]}
    return path, mapping


def _outside(faults: set[tuple[str, str]], path: Path) -> set[tuple[str, str]]:
    inside = path_text(path)
    return {item for item in faults if item[0] != inside and not item[0].startswith((f"{inside}.", f"{inside}["))}


@given(breaks(_elements()))
def test_a_malformed_element_neither_hides_nor_adds_faults_of_others(broken: tuple[Path, dict[str, Any]]) -> None:
    path, mapping = broken
    faults = _faults(mapping)
    renamed = {item for item in faults if item[0] == path_text((*path[:-1], f"no_{path[-1]}"))}
    assert _outside(faults, path) - renamed == _outside(_faults(MAPPING), path)
    assert renamed or _outside(faults, path) < faults


@given(breaks(WHOLES))
def test_a_malformed_whole_adds_no_fault_that_follows_from_it(broken: tuple[Path, dict[str, Any]]) -> None:
    path, mapping = broken
    reported = {item for item in _faults(mapping) if "key is not known" not in item[1]}
    assert _outside(reported, path) <= _outside(_faults(MAPPING), path)


def test_a_collection_that_is_too_long_hides_no_fault_of_its_elements() -> None:
    mapping = copy.deepcopy(MAPPING)
    mapping["table_mappings"][0]["field_map"] += [_field(f"attributes.entry_{number}") for number in range(300)]
    mapping["table_mappings"][0]["field_map"][3]["type"] = "number"
    mapping["table_mappings"] += [mapping["table_mappings"][1]] * 50
    faults = _faults(mapping)
    assert {path for path, message in faults if "at most" in message} == {
        "table_mappings",
        "table_mappings[0].field_map",
    }
    assert "table_mappings[0].field_map[3].type" in {path for path, _ in faults}
    assert _faults(MAPPING) < faults
