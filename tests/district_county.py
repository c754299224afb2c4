"""A county whose map layers are loaded as a person loads them: by the API, and the steps of the jobs machine."""

from typing import Any

import boto3
import numpy as np
import orjson
import shapely
from sqlalchemy import update

from functions.districts.handler import handler
from functions.districts.tasks import convert_file, make_version, read_source
from shared.db import unit_of_work
from shared.db.models import County
from shared.storage import county_key
from tests.aws import BUCKET
from tests.gateway import Answer, call
from tests.integration.evidence_county import COUNTY, add_county
from tests.job_cloud import Steps, run_partitioned

LAYER = "/v1/counties/{county_id}/district-layers/{layer}"
JOB = "/v1/counties/{county_id}/district-loads/{load_id}"
LOOKUP = "/v1/counties/{county_id}/districts/lookup"
STEPS = Steps("district_load", read_source.handler, convert_file.handler, make_version.handler)
WEST, SOUTH, STEP = -122.4, 47.2, 0.1


def add_county_with_timezone() -> None:
    """A county that is onboarded, with nothing in it."""
    add_county()
    with unit_of_work(COUNTY) as connection:
        connection.execute(update(County).values(configuration={"timezone": "America/Los_Angeles"}))


def grid(columns: int = 3, rows: int = 2, step: float = STEP) -> dict[str, Any]:
    """Squares side by side, by id: D00, D01, ... from the south-west, row by row."""
    corners = [(column, row) for row in range(rows) for column in range(columns)]
    return {
        f"D{number:02}": shapely.box(
            WEST + column * step, SOUTH + row * step, WEST + (column + 1) * step, SOUTH + (row + 1) * step
        )
        for number, (column, row) in enumerate(corners)
    }


def partition_of_the_plane(count: int, seed: int) -> dict[str, Any]:
    """Convex districts that fill a square without gaps: a Voronoi diagram of random points."""
    points = np.random.default_rng(seed).random((count, 2))
    square = shapely.box(0, 0, 1, 1)
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.MultiPoint(points), extend_to=square))
    clipped = shapely.intersection(cells, square)
    place = np.array([WEST, SOUTH])
    return {
        f"V{number:03}": shapely.transform(cell, lambda xy: xy * 0.5 + place) for number, cell in enumerate(clipped)
    }


def geojson(shapes: dict[str, Any], **attributes: Any) -> bytes:
    """A file of features with the columns id, label and the further attributes."""
    features = [
        {
            "type": "Feature",
            "geometry": None if shape is None else orjson.loads(shapely.to_geojson(shape)),
            "properties": {"id": id_.partition("#")[0], "label": f"District {id_}", **attributes},
        }
        for id_, shape in shapes.items()
    ]
    return orjson.dumps({"type": "FeatureCollection", "features": features})


def send(content: bytes, name: str = "districts.geojson") -> None:
    """Put a file where the county's files are."""
    boto3.client("s3").put_object(Bucket=BUCKET, Key=county_key(COUNTY, "incoming", name), Body=content)


def request(layer: str = "fire", *, file: dict[str, Any] | None = None, **values: Any) -> Answer:
    """Ask for a load of the county's file."""
    body = {
        "title": "Fire districts",
        "kind": "fire",
        "source": {"kind": "file", "file": file or {"format": "geojson", "file": "districts.geojson"}},
        "key": "id",
        "name": "label",
        **values,
    }
    return call(handler, "PUT", LAYER, path={"county_id": COUNTY, "layer": layer}, body=body)


def load(layer: str = "fire", **values: Any) -> dict[str, Any]:
    """Load the county's file, and return the job."""
    answer = request(layer, **values)
    assert answer.status == 202, answer.body
    run_partitioned(STEPS, COUNTY, answer.body["id"])
    return dict(call(handler, "GET", JOB, path={"county_id": COUNTY, "load_id": answer.body["id"]}).body)


def loaded(layer: str = "fire", **values: Any) -> dict[str, Any]:
    """Load the county's file, and return the results."""
    job = load(layer, **values)
    assert job["status"] == "succeeded", job["error"]
    return dict(call(handler, "GET", JOB + "/results", path={"county_id": COUNTY, "load_id": job["id"]}).body)


def look_up(**query: Any) -> Answer:
    """Look districts up."""
    texts = {name: str(value) for name, value in query.items()}
    return call(handler, "GET", LOOKUP, path={"county_id": COUNTY}, query=texts)


def ids_at(longitude: float, latitude: float, **query: Any) -> list[str]:
    """The districts of the first layer at a place."""
    answer = look_up(longitude=longitude, latitude=latitude, **query)
    assert answer.status == 200, answer.body
    return [district["district_id"] for district in answer.body["layers"][0]["districts"]]
