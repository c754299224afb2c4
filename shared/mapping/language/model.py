"""A county's mapping as a value: which source columns fill which target columns, and how."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from shared.mapping.language.write_back import WriteBack
from shared.mapping.rules.rule_models import Validation
from shared.mapping.transformations import Lookup as LookupStep
from shared.mapping.transformations import Transformation

SCHEMA_VERSIONS = ("1.1",)

Name = Annotated[str, StringConstraints(min_length=1, max_length=128)]


class FieldType(StrEnum):
    """The type as which a field's text is read.

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
    GEOMETRY = "geometry"


class ConfigName(StrEnum):
    """The members of a mapping from which `default_from_config` can take a value."""

    COUNTY_ID_DEFAULT = "county_id_default"
    SOURCE_SYSTEM_TYPE = "source_system_type"


def _as_tuple(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class _Element(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FieldMap(_Element):
    """The mapping of one target column.

    `target` is a column, or `attributes.NAME` for one entry of a JSON column. `sources` is one name, or several
    for a transformation that joins them. `default` stands in where the result is NULL. A value that cannot be read
    rejects its row, or, where `unreadable` is "warn", leaves the field NULL (or at its default) with a warning.
    """

    sources: Annotated[tuple[Name, ...], BeforeValidator(_as_tuple), Field(alias="source", max_length=20)] = ()
    target: Name
    type: FieldType
    required: bool = False
    default: str | None = None
    default_from_config: ConfigName | None = None
    unreadable: Literal["reject", "warn"] = "reject"
    transformations: tuple[Transformation, ...] = ()

    @property
    def column(self) -> str:
        """The target column."""
        return self.target.partition(".")[0]

    @property
    def entry(self) -> str | None:
        """The entry of a JSON column, or None."""
        return self.target.partition(".")[2] or None


class AttributesMap(_Element):
    """The treatment of source columns that no field names: dropped, or kept in the target's JSON column `attributes`.

    A kept column's entry has its name in small letters, with underscores for what is no letter or digit. It is a number
    where the source's type is one, else text without blanks around it, and left out where there is none.
    """

    unmapped: Literal["drop", "keep"] = "drop"


class LookupTable(_Element):
    """Another table or query of the source, small enough to be read whole, in which `lookup` finds values by `key`."""

    source_table_name: Name | None = None
    source_query: Annotated[str, StringConstraints(min_length=1, max_length=50_000)] | None = None
    key: Annotated[tuple[Name, ...], BeforeValidator(_as_tuple), Field(min_length=1, max_length=4)]
    columns: Annotated[tuple[Name, ...], BeforeValidator(_as_tuple), Field(min_length=1, max_length=50)]


class TableMapping(_Element):
    """The mapping of one target table from one table or query of the source."""

    source_table_name: Name | None = None
    source_query: Annotated[str, StringConstraints(min_length=1, max_length=50_000)] | None = None
    target_table_name: Name
    primary_key_source_fields: Annotated[tuple[Name, ...], Field(min_length=1, max_length=8)]
    primary_key_target_fields: Annotated[tuple[Name, ...], Field(min_length=1, max_length=1)]
    watermark_field: Name | None = None
    field_map: Annotated[tuple[FieldMap, ...], Field(min_length=1, max_length=300)]
    attributes: AttributesMap = AttributesMap()
    validations: Annotated[tuple[Validation, ...], Field(max_length=200)] = ()

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

    @property
    def filled_columns(self) -> frozenset[str]:
        """The target columns that this mapping fills."""
        kept = {"attributes"} if self.attributes.unmapped == "keep" else set()
        return frozenset({field.column for field in self.field_map} | kept)

    @property
    def lookups(self) -> frozenset[str]:
        """The names of the lookups that its fields use."""
        steps = (step for field in self.field_map for step in field.transformations)
        return frozenset(step.table for step in steps if isinstance(step, LookupStep))


ValueMap = dict[str, str | None]


class CountyMapping(_Element):
    """The whole mapping of a county."""

    source_system_type: Name
    target_schema_version: Literal["1.1"]
    county_id_default: Name
    table_mappings: Annotated[tuple[TableMapping, ...], Field(min_length=1, max_length=50)]
    value_maps: dict[Name, ValueMap] = {}
    lookups: Annotated[dict[Name, LookupTable], Field(max_length=50)] = {}
    write_back: WriteBack | None = None

    def table(self, target: str) -> TableMapping:
        """The mapping of one target table. Raises KeyError."""
        for table in self.table_mappings:
            if table.target_table_name == target:
                return table
        raise KeyError(target)

    def configured(self, name: ConfigName) -> str:
        """The value that `default_from_config` names."""
        return self.county_id_default if name is ConfigName.COUNTY_ID_DEFAULT else self.source_system_type
