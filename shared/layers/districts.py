"""The layer of all districts. `d` is the district, `l` the layer that it was loaded with."""

from shared.access import Permission
from shared.layers.model import NO_COORDINATE, CodedDomain, Column, Layer

DISTRICT_KINDS = CodedDomain(
    "district_kind",
    "Kind of a district",
    (("fire", "Fire"), ("school", "School"), ("voting", "Voting"), ("tax", "Tax"), ("other", "Other")),
)
DISTRICT_IS_CURRENT = (
    "d.county_id = {county_id} AND d.valid_from <= CURRENT_DATE AND (d.valid_to IS NULL OR d.valid_to > CURRENT_DATE)"
)
DISTRICT_BOUNDS = ("d.west", "d.south", "d.east", "d.north")

DISTRICTS = Layer(
    name="districts",
    title="Districts",
    description="The present districts of all layers of polygons that the county loaded.",
    geometry="polygon",
    key="district_key",
    columns=(
        Column("district_key", "Layer and district ID", "text", "d.layer || '/' || d.district_id"),
        Column("layer", "Layer", "text", "d.layer"),
        Column("layer_title", "Title of the layer", "text", "l.title"),
        Column("kind", "Kind of district", "text", "l.kind", domain=DISTRICT_KINDS),
        Column("district_id", "District ID", "text", "d.district_id"),
        Column("name", "Name", "text", "d.name"),
        Column("valid_from", "First day of its present shape", "date", "d.valid_from"),
    ),
    tables=(
        "districts d JOIN district_layers l ON l.county_id = d.county_id AND l.layer = d.layer"
        " AND l.geometry_type = 'polygon'"
    ),
    condition=DISTRICT_IS_CURRENT,
    shape="d.geometry",
    longitude=NO_COORDINATE,
    latitude=NO_COORDINATE,
    bounds=DISTRICT_BOUNDS,
    permission=Permission.VIEW_PROPERTIES,
)
