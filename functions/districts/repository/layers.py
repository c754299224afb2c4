"""SQL of layers as they are shown."""

from typing import Any

from sqlalchemy import Connection, func, select

from functions.districts.schemas import LayerDetail, LayerField, LayerSummary, LayerVersion
from shared.db.models import District, DistrictLayer, DistrictLayerVersion


def layers(connection: Connection, county_id: str) -> list[LayerSummary]:
    """A county's layers by name."""
    return [LayerSummary(**row) for row in _rows(connection, county_id, None)]


def layer(connection: Connection, county_id: str, name: str) -> LayerDetail | None:
    """A layer with its versions, the latest first."""
    rows = _rows(connection, county_id, name)
    if not rows:
        return None
    stored = connection.execute(
        select(DistrictLayer.fields, DistrictLayer.source).where(
            DistrictLayer.county_id == county_id, DistrictLayer.layer == name
        )
    ).one()
    versions = connection.execute(
        select(
            DistrictLayerVersion.version,
            DistrictLayerVersion.valid_from,
            DistrictLayerVersion.counts,
            DistrictLayerVersion.job_id,
            DistrictLayerVersion.created_by,
            DistrictLayerVersion.created_at,
        )
        .where(DistrictLayerVersion.county_id == county_id, DistrictLayerVersion.layer == name)
        .order_by(DistrictLayerVersion.version.desc())
    )
    return LayerDetail(
        **rows[0],
        fields=[LayerField.model_validate(field) for field in stored.fields],
        source=stored.source,
        versions=[LayerVersion.model_validate(dict(row._mapping)) for row in versions],
    )


def _rows(connection: Connection, county_id: str, name: str | None) -> list[dict[str, Any]]:
    features = (
        select(func.count())
        .where(District.county_id == county_id, District.layer == DistrictLayer.layer, District.valid_to.is_(None))
        .scalar_subquery()
    )
    since = (
        select(func.max(DistrictLayerVersion.valid_from))
        .where(DistrictLayerVersion.county_id == county_id, DistrictLayerVersion.layer == DistrictLayer.layer)
        .scalar_subquery()
    )
    statement = select(
        DistrictLayer.layer,
        DistrictLayer.title,
        DistrictLayer.kind,
        DistrictLayer.geometry_type,
        features.label("features"),
        DistrictLayer.version,
        since.label("valid_from"),
        DistrictLayer.loaded_by,
        DistrictLayer.loaded_at,
        DistrictLayer.closed_on,
    ).where(DistrictLayer.county_id == county_id)
    if name is not None:
        statement = statement.where(DistrictLayer.layer == name)
    own = f"/v1/counties/{county_id}/district-layers"
    return [
        dict(row._mapping, links={"self": f"{own}/{row.layer}", "parcels": f"{own}/{row.layer}/parcels"})
        for row in connection.execute(statement.order_by(DistrictLayer.layer))
    ]
