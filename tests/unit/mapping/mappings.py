"""Small mappings for tests."""

from datetime import date

import polars as pl

from shared.mapping import parse_mapping
from shared.mapping.compile.tables import CompiledTable, MappedRows, compile_table

TODAY = date(2026, 11, 22)

HEAD = """\
source_system_type: TESTING
target_schema_version: "1.1"
county_id_default: benton_wa
table_mappings:
  - source_table_name: parcels
    target_table_name: properties_operational
    primary_key_source_fields: [id]
    primary_key_target_fields: [property_id]
    field_map:
      - {source: id, target: property_id, type: string, required: true}
"""


def mapping_text(*fields: str, value_maps: str = "") -> str:
    """A mapping of properties_operational with these fields beside the key."""
    return (
        HEAD + "".join(f"      - {field}\n" for field in fields) + (f"value_maps: {value_maps}\n" if value_maps else "")
    )


def compiled(*fields: str, value_maps: str = "") -> CompiledTable:
    return compile_table(
        parse_mapping(mapping_text(*fields, value_maps=value_maps)), "properties_operational", today=TODAY
    )


def frame(**columns: list[str | None]) -> pl.DataFrame:
    """A frame of texts; without `id` the rows are numbered."""
    rows = len(next(iter(columns.values())))
    whole = {"id": [str(number) for number in range(rows)], **columns}
    return pl.DataFrame(whole, schema=dict.fromkeys(whole, pl.String))


def mapped(field: str, *values: str | None, value_maps: str = "") -> MappedRows:
    """The result of a field whose source is `a`."""
    return compiled(field, value_maps=value_maps).apply(frame(a=list(values)))


def values(field: str, *texts: str | None, value_maps: str = "") -> list[object]:
    """The mapped value of each text; None also where the row is rejected."""
    target = field.split("target: ")[1].split(",")[0]
    rows = mapped(field, *texts, value_maps=value_maps)
    result = dict(zip(rows.good["property_id"], rows.good[target], strict=True))
    return [result.get(str(number)) for number in range(len(texts))]
