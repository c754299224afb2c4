"""SQL of a load: a version of a layer by day, from staged features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import Connection, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from functions.districts.schemas import DistrictLoadRequest, FeatureCounts
from shared.db.copying import copy_in
from shared.db.models import County, DistrictLayer, DistrictLayerVersion

if TYPE_CHECKING:  # shapely and NumPy, which the API's function imports for lookups only
    from functions.districts.domain.features import Feature, LoadedFeatures

_COLUMNS = ("district_id", "name", "attributes", "geometry", "west", "south", "east", "north")
# ruff: noqa: S608 - statements are made of each other and of names of ours
_STAGED = (
    "CREATE TEMP TABLE incoming_features (district_id text PRIMARY KEY, name text NOT NULL, attributes jsonb NOT NULL,"
    " geometry bytea NOT NULL, west double precision, south double precision, east double precision,"
    " north double precision) ON COMMIT DROP"
)
_KEPT = "CREATE TEMP TABLE kept_features (district_id text PRIMARY KEY) ON COMMIT DROP"
_CURRENT = "d.county_id = :county AND d.layer = :layer AND d.valid_to IS NULL"
_DIFFERS = "(d.name, d.attributes, d.geometry) IS DISTINCT FROM (i.name, i.attributes, i.geometry)"
_COMPARE = (
    "SELECT count(*) FILTER (WHERE d.district_id IS NULL) AS added,"
    f" count(*) FILTER (WHERE d.district_id IS NOT NULL AND i.district_id IS NOT NULL AND {_DIFFERS}) AS changed,"
    " count(*) FILTER (WHERE i.district_id IS NULL AND k.district_id IS NULL) AS removed,"
    f" count(*) FILTER (WHERE d.district_id IS NOT NULL AND i.district_id IS NOT NULL AND NOT {_DIFFERS}) AS unchanged,"
    " count(*) FILTER (WHERE i.district_id IS NULL AND k.district_id IS NOT NULL) AS kept"
    f" FROM (SELECT * FROM districts d WHERE {_CURRENT}) d"
    " FULL JOIN incoming_features i ON i.district_id = d.district_id"
    " LEFT JOIN kept_features k ON k.district_id = d.district_id"
)
_ENDING = (
    f"{_CURRENT} AND NOT EXISTS (SELECT 1 FROM kept_features k WHERE k.district_id = d.district_id) AND NOT EXISTS"
    f" (SELECT 1 FROM incoming_features i WHERE i.district_id = d.district_id AND NOT {_DIFFERS})"
)
# what began on the same day is replaced: it has been true of no day
_REPLACE = f"DELETE FROM districts d WHERE {_ENDING} AND d.valid_from = :day"
_END = f"UPDATE districts d SET valid_to = :day WHERE {_ENDING}"
_BEGIN = (
    f"INSERT INTO districts (county_id, layer, valid_from, {', '.join(_COLUMNS)})"
    f" SELECT :county, :layer, :day, {', '.join(f'i.{name}' for name in _COLUMNS)} FROM incoming_features i"
    f" WHERE NOT EXISTS (SELECT 1 FROM districts d WHERE {_CURRENT} AND d.district_id = i.district_id)"
)


@dataclass(frozen=True)
class StoredLayer:
    """A layer as a load finds it; `valid_from` is that of its last version."""

    title: str
    kind: str
    fields: list[dict[str, str]]
    version: int
    valid_from: date
    closed_on: date | None


@dataclass(frozen=True)
class StoredVersion:
    """A version of a layer."""

    version: int
    valid_from: date
    counts: FeatureCounts


def configuration(connection: Connection, county_id: str) -> dict[str, object]:
    """The configuration of a county."""
    stored: dict[str, object] = connection.execute(
        select(County.configuration).where(County.county_id == county_id)
    ).scalar_one()
    return stored


def lock(connection: Connection, county_id: str, layer: str) -> None:
    """Let one transaction at a time change a layer, also one that is not there yet."""
    connection.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"),
        {"name": f"district layer {county_id}/{layer}"},
    )


def find(connection: Connection, county_id: str, layer: str) -> StoredLayer | None:
    """A layer with the day of its last version."""
    last = select(func.max(DistrictLayerVersion.valid_from)).where(
        DistrictLayerVersion.county_id == county_id, DistrictLayerVersion.layer == layer
    )
    row = connection.execute(
        select(
            DistrictLayer.title,
            DistrictLayer.kind,
            DistrictLayer.fields,
            DistrictLayer.version,
            last.scalar_subquery().label("valid_from"),
            DistrictLayer.closed_on,
        ).where(DistrictLayer.county_id == county_id, DistrictLayer.layer == layer)
    ).one_or_none()
    return None if row is None else StoredLayer(**row._mapping)


def version_of_job(connection: Connection, county_id: str, layer: str, job_id: UUID) -> StoredVersion | None:
    """The version that a job has made, where it did so at an earlier attempt."""
    row = connection.execute(
        select(DistrictLayerVersion.version, DistrictLayerVersion.valid_from, DistrictLayerVersion.counts).where(
            DistrictLayerVersion.county_id == county_id,
            DistrictLayerVersion.layer == layer,
            DistrictLayerVersion.job_id == job_id,
        )
    ).one_or_none()
    return None if row is None else StoredVersion(row.version, row.valid_from, FeatureCounts.model_validate(row.counts))


def stage(connection: Connection, features: Sequence[Feature], kept_ids: set[str]) -> None:
    """Stage the features of a load, and the identifiers of those that stay as they are."""
    connection.exec_driver_sql(_STAGED)
    copy_in(connection, "incoming_features", _COLUMNS, (feature.to_row() for feature in features))
    connection.exec_driver_sql(_KEPT)
    copy_in(connection, "kept_features", ("district_id",), ((id_,) for id_ in sorted(kept_ids)))
    connection.exec_driver_sql("ANALYZE incoming_features")


def compare(connection: Connection, county_id: str, layer: str) -> FeatureCounts:
    """The staged features against the current ones."""
    row = connection.execute(text(_COMPARE), {"county": county_id, "layer": layer}).one()
    return FeatureCounts.model_validate(dict(row._mapping))


def change(connection: Connection, county_id: str, layer: str, day: date) -> None:
    """From a day on, the staged features and the kept ones are the layer's."""
    parameters = {"county": county_id, "layer": layer, "day": day}
    connection.execute(text(_REPLACE), parameters)
    connection.execute(text(_END), parameters)
    connection.execute(text(_BEGIN), parameters)


def put_layer(
    connection: Connection,
    county_id: str,
    request: DistrictLoadRequest,
    loaded: LoadedFeatures,
    *,
    version: int,
    actor: str,
) -> None:
    """Store what a layer is as of a version; a closed one is open again."""
    values = {
        "title": request.title,
        "kind": request.kind,
        "geometry_type": loaded.geometry_type,
        "fields": [field.model_dump() for field in loaded.fields],
        "source": request.model_dump(mode="json", include={"source", "key", "name", "shape"}),
        "version": version,
        "loaded_by": actor,
        "loaded_at": func.now(),
        "closed_on": None,
    }
    statement = upsert(DistrictLayer).values(county_id=county_id, layer=request.layer, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["county_id", "layer"], set_=values))


def add_version(
    connection: Connection,
    county_id: str,
    layer: str,
    version: int,
    day: date,
    counts: FeatureCounts,
    *,
    job_id: UUID | None,
    actor: str,
) -> None:
    """Record a version of a layer."""
    connection.execute(
        insert(DistrictLayerVersion).values(
            county_id=county_id,
            layer=layer,
            version=version,
            valid_from=day,
            counts=counts.model_dump(),
            job_id=job_id,
            created_by=actor,
        )
    )


def close(connection: Connection, county_id: str, layer: str, day: date, version: int) -> FeatureCounts:
    """End all of a layer's features on a day."""
    connection.exec_driver_sql(_STAGED)
    connection.exec_driver_sql(_KEPT)
    counts = compare(connection, county_id, layer)
    change(connection, county_id, layer, day)
    connection.execute(
        update(DistrictLayer)
        .where(DistrictLayer.county_id == county_id, DistrictLayer.layer == layer)
        .values(version=version, closed_on=day)
    )
    return counts
