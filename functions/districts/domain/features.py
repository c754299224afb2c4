"""The features of a load, made of the source's rows."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
import shapely

from functions.districts.domain.fields import MAX_FIELDS, fields_of, texts_of, typed_values
from functions.districts.domain.shape_types import Shape
from functions.districts.domain.shapes import ShapeError, geometry_type_of, make_valid, read_shape
from functions.districts.schemas import (
    FeatureRejection,
    GeometryType,
    LayerField,
    LayerLoad,
    ShapeRepair,
    ValueRejection,
)
from shared.contracts.source_rows import READ_FAULT, ROW_NUMBER, VALUE_FAULTS
from shared.geo.geometry import LATITUDE, LONGITUDE, WKB
from shared.problems import Unprocessable

MAX_LISTED = 100
"""Rejections, repairs and faults of values that results list, and rows that a message names. A choice."""
MAX_KEY = 200
"""Characters of an identifier: it is a part of addresses. A choice."""
_OWN_COLUMNS = frozenset({WKB, LONGITUDE, LATITUDE, ROW_NUMBER, VALUE_FAULTS, READ_FAULT})


@dataclass(frozen=True)
class SourceRows:
    """The rows of a source, column by column, and the types of the columns as the source calls them."""

    columns: Mapping[str, Sequence[Any]]
    types: Mapping[str, str]

    @property
    def count(self) -> int:
        return max(map(len, self.columns.values()), default=0)


@dataclass(frozen=True)
class Feature:
    """A feature as it is stored."""

    district_id: str
    name: str
    attributes: dict[str, Any]
    shape: Shape

    def to_row(self) -> tuple[object, ...]:
        """Its texts for a COPY: identifier, name, attributes, geometry, west, south, east, north."""
        geometry = f"\\x{shapely.to_wkb(self.shape, hex=True, byte_order=1)}"
        return (
            self.district_id,
            self.name,
            orjson.dumps(self.attributes).decode(),
            geometry,
            *shapely.bounds(self.shape).tolist(),
        )


@dataclass
class LoadedFeatures:
    """The features of a load, and what could not be used as it was. Lists have their first entries."""

    fields: list[LayerField]
    geometry_type: GeometryType = "polygon"
    features: list[Feature] = field(default_factory=list)
    rejected: list[FeatureRejection] = field(default_factory=list)
    rejected_ids: set[str] = field(default_factory=set)
    repaired: list[ShapeRepair] = field(default_factory=list)
    repaired_count: int = 0
    reversed_count: int = 0
    value_faults: list[ValueRejection] = field(default_factory=list)
    value_fault_count: int = 0


def read_features(rows: SourceRows, load: LayerLoad) -> LoadedFeatures:
    """The features of a source's rows.

    Raises Unprocessable where the source has no row, lacks a column, or does not identify its features: an identifier
    is missing, too long, or is that of several rows.
    """
    if rows.count == 0:
        raise Unprocessable("The source has no features: an empty layer is not loaded.", slug="source-empty")
    shape_column = load.shape or WKB
    for pointer, column in (("/key", load.key), ("/name", load.name), ("/shape", shape_column)):
        _require_column(rows, pointer, column)
    ids = texts_of(rows.columns[load.key])
    _require_identifiers(ids, load.key)
    names = (
        ids
        if load.name is None
        else [name or id_ for name, id_ in zip(texts_of(rows.columns[load.name]), ids, strict=True)]
    )
    attributes, fields = _attributes(rows, load)
    loaded = LoadedFeatures(fields)
    faults = _shape_faults(rows, shape_column, loaded)
    types: list[GeometryType] = []
    for number, value in enumerate(rows.columns[shape_column]):
        try:
            if number in faults:
                raise ShapeError(faults[number])
            valid = make_valid(read_shape(value))
        except ShapeError as error:
            _reject(loaded, ids[number], number + 1, str(error))
            continue
        types.append(valid.geometry_type)
        loaded.reversed_count += valid.is_reversed
        if valid.repair is not None:
            loaded.repaired_count += 1
            if len(loaded.repaired) < MAX_LISTED:
                loaded.repaired.append(
                    ShapeRepair(
                        district_id=ids[number],
                        row=number + 1,
                        reason=valid.repair,
                        area_sqft_before=round(valid.area_sqft_before, 1),
                        area_sqft_after=round(valid.area_sqft_after, 1),
                    )
                )
        loaded.features.append(Feature(ids[number], names[number], attributes[number], valid.shape))
    if not types:
        first = loaded.rejected[0]
        raise Unprocessable(
            f"No feature of the source has a shape that can be used: that of {first.district_id} (row {first.row})"
            f" {first.reason}.",
            slug="source-without-shapes",
        )
    loaded.geometry_type = geometry_type_of(types)
    return loaded


def _require_column(rows: SourceRows, pointer: str, column: str | None) -> None:
    if column is not None and column not in rows.columns:
        shown = ", ".join(name for name in rows.columns if name not in _OWN_COLUMNS)[:500]
        hint = " (give `shape`, the column with the geometry)" if column == WKB else ""
        raise Unprocessable(
            f"The source has no column {column}{hint}; it has: {shown}.", pointer=pointer, slug="source-column-missing"
        )


def _require_identifiers(ids: Sequence[str], key: str) -> None:
    rows_of: dict[str, list[int]] = defaultdict(list)
    for row, id_ in enumerate(ids, start=1):
        rows_of[id_].append(row)
    if "" in rows_of:
        raise Unprocessable(
            f"Features without a value of {key}, which identifies them: rows {_shown(rows_of[''])}.",
            pointer="/key",
            slug="feature-without-identifier",
        )
    long = [rows[0] for id_, rows in rows_of.items() if len(id_) > MAX_KEY or "\x00" in id_]
    if long:
        raise Unprocessable(
            f"Identifiers ({key}) have up to {MAX_KEY} characters: see rows {_shown(long)}.",
            pointer="/key",
            slug="feature-identifier-too-long",
        )
    repeated = {id_: rows for id_, rows in rows_of.items() if len(rows) > 1}
    if repeated:
        some = "; ".join(f"{id_} in rows {_shown(rows)}" for id_, rows in list(repeated.items())[:10])
        raise Unprocessable(
            f"{len(repeated):,} values of {key} are those of several features: {some}. Nothing was loaded; take a"
            " column that identifies a feature, or merge the features of a district into one.",
            pointer="/key",
            slug="feature-identifier-repeated",
        )


def _shown(rows: Sequence[int]) -> str:
    return ", ".join(map(str, rows[:10])) + (f" and {len(rows) - 10:,} more" if len(rows) > 10 else "")


def _attributes(rows: SourceRows, load: LayerLoad) -> tuple[list[dict[str, Any]], list[LayerField]]:
    """The attributes of each feature, and their fields. Values that are missing are left out."""
    columns = [
        name
        for name in rows.columns
        if name not in _OWN_COLUMNS | {load.key, load.name, load.shape} and rows.types.get(name) != "geometry"
    ]
    if len(columns) > MAX_FIELDS:
        raise Unprocessable(
            f"The source has {len(columns)} columns beside its identifiers; {MAX_FIELDS} are taken.",
            slug="too-many-columns",
        )
    attributes: list[dict[str, Any]] = [{} for _ in range(rows.count)]
    fields: list[LayerField] = []
    for column, declared in fields_of(columns, rows.types).items():
        layer_field, values = typed_values(declared, rows.columns[column])
        fields.append(layer_field)
        for feature, value in zip(attributes, values, strict=True):
            if value is not None:
                feature[layer_field.name] = value
    return attributes, fields


def _shape_faults(rows: SourceRows, shape_column: str, loaded: LoadedFeatures) -> dict[int, str]:
    """Faults that the source found with the shape of a row, by its place; those of other values are kept as such."""
    shape_faults: dict[int, str] = {}
    for number, lines in enumerate(rows.columns.get(VALUE_FAULTS, ())):
        for line in (lines or "").splitlines():
            column, _, reason = line.partition("\t")
            if column == shape_column:
                shape_faults[number] = reason.removeprefix("the shape ")
            elif column not in _OWN_COLUMNS:
                loaded.value_fault_count += 1
                if len(loaded.value_faults) < MAX_LISTED:
                    loaded.value_faults.append(ValueRejection(row=number + 1, column=column, reason=reason))
    for number, reason in enumerate(rows.columns.get(READ_FAULT, ())):
        if reason:
            shape_faults[number] = f"is in a row that cannot be read: {reason}"
    return shape_faults


def _reject(loaded: LoadedFeatures, district_id: str, row: int, reason: str) -> None:
    loaded.rejected_ids.add(district_id)
    if len(loaded.rejected) < MAX_LISTED:
        loaded.rejected.append(FeatureRejection(district_id=district_id, row=row, reason=f"the shape {reason}"))
