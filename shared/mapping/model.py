"""A county's mapping as a value: which source columns fill which target columns, and how."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from shared.mapping.transformations import Transformation

SCHEMA_VERSIONS = ("1.1",)

READ_FAULT = "_read_fault"
"""The column by which a source says of a row that it is none (a line with too many fields), and why."""

Name = Annotated[str, StringConstraints(min_length=1, max_length=128)]


class FieldType(StrEnum):
    """What a field's text is read as.

    Blanks around a text are dropped before it is read, and a blank text is NULL, for every type but `string`.
    """

    STRING = "string"
    INTEGER = "integer"
    DECIMAL = "decimal"
    MONEY = "money"
    FLOAT = "float"
    DATE = "date"
    TIMESTAMP = "timestamp"
    BOOLEAN = "boolean"
    JSON = "json"
    LIST = "list"


class ConfigName(StrEnum):
    """What `default_from_config` can take a value from."""

    COUNTY_ID_DEFAULT = "county_id_default"
    SOURCE_SYSTEM_TYPE = "source_system_type"


def _as_tuple(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class _Element(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FieldMap(_Element):
    """How one target column is filled.

    `target` is a column, or `attributes.NAME` for one entry of a JSON column. `sources` is one name, or several
    for a transformation that joins them. `default` stands in where the result is NULL.
    """

    sources: Annotated[tuple[Name, ...], BeforeValidator(_as_tuple), Field(alias="source", max_length=20)] = ()
    target: Name
    type: FieldType
    required: bool = False
    default: str | None = None
    default_from_config: ConfigName | None = None
    transformations: tuple[Transformation, ...] = ()

    @property
    def column(self) -> str:
        """The target column."""
        return self.target.partition(".")[0]

    @property
    def entry(self) -> str | None:
        """The entry of a JSON column, or None."""
        return self.target.partition(".")[2] or None


class TableMapping(_Element):
    """How one target table is filled from one table or query of the source."""

    source_table_name: Name | None = None
    source_query: Annotated[str, StringConstraints(min_length=1, max_length=50_000)] | None = None
    target_table_name: Name
    primary_key_source_fields: Annotated[tuple[Name, ...], Field(min_length=1, max_length=8)]
    primary_key_target_fields: Annotated[tuple[Name, ...], Field(min_length=1, max_length=1)]
    watermark_field: Name | None = None
    field_map: Annotated[tuple[FieldMap, ...], Field(min_length=1, max_length=300)]

    @property
    def key(self) -> str:
        """The target column that tells rows apart."""
        return self.primary_key_target_fields[0]

    @property
    def source_fields(self) -> frozenset[str]:
        """Every source column that this mapping names."""
        named = {name for field in self.field_map for name in field.sources}
        watermark = {self.watermark_field} if self.watermark_field else set()
        return frozenset(named | set(self.primary_key_source_fields) | watermark)


ValueMap = dict[str, str | None]


class CountyMapping(_Element):
    """The whole mapping of a county."""

    source_system_type: Name
    target_schema_version: Literal["1.1"]
    county_id_default: Name
    table_mappings: Annotated[tuple[TableMapping, ...], Field(min_length=1, max_length=50)]
    value_maps: dict[Name, ValueMap] = {}

    def table(self, target: str) -> TableMapping:
        """The mapping of one target table. Raises KeyError."""
        for table in self.table_mappings:
            if table.target_table_name == target:
                return table
        raise KeyError(target)

    def configured(self, name: ConfigName) -> str:
        """The value that `default_from_config` names."""
        return self.county_id_default if name is ConfigName.COUNTY_ID_DEFAULT else self.source_system_type
