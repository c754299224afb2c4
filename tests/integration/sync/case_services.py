"""Web services of the source cases, each with the behavior of its case."""

import re
from collections.abc import Callable
from math import nan
from typing import Any

from tests.unit.sources.web_servers import Answer

DAY = 86_400_000
NEW_YEAR_2024 = 1_704_067_200_000
"""Milliseconds of 1 January 2024."""
FAR_YEAR = 569_693_952_000_000
"""Milliseconds of a day in the year 20023."""

Rows = list[dict[str, Any]]


def parcels(count: int, day: int = 1) -> Rows:
    """Parcels from 30-001 on, each a square north-east of (-119.99, 47)."""
    return [
        {"OBJECTID": n, "PIN": f"30-{n:03}", "HOUSENO": n * 100.0, "VALUE": n * 100_000.0,
         "SOLD": NEW_YEAR_2024 + day * n * DAY, "geometry": square(-120 + n / 100, 47.0, 0.001)}
        for n in range(1, count + 1)
    ]  # fmt: skip


def square(x: float, y: float, side: float) -> dict[str, Any]:
    return {"rings": [[[x, y], [x, y + side], [x + side, y + side], [x + side, y], [x, y]]]}


class Layer:
    """A feature layer. `limit`: features of an answer; `flagged`: with exceededTransferLimit where there are more."""

    def __init__(self, rows: Rows, *, limit: int = 1000, flagged: bool = True, wkid: int = 4326) -> None:
        self.rows, self.limit, self.flagged, self.wkid = rows, limit, flagged, wkid

    def answer(self, path: str, parameters: dict[str, str]) -> Answer:
        if not path.endswith("/query"):
            kinds = {"OBJECTID": "OID", "PIN": "String", "HOUSENO": "Double", "VALUE": "Double", "SOLD": "Date"}
            return 200, {}, {
                "fields": [{"name": name, "type": f"esriFieldType{kind}"} for name, kind in kinds.items()],
                "objectIdField": "OBJECTID", "maxRecordCount": 1000, "geometryType": "esriGeometryPolygon",
            }  # fmt: skip
        found = self._found(parameters)
        if parameters.get("returnCountOnly") == "true":
            return 200, {}, {"count": len(found)}
        if parameters.get("returnIdsOnly") == "true":
            return 200, {}, {"objectIdFieldName": "OBJECTID", "objectIds": [row["OBJECTID"] for row in found]}
        names = parameters["outFields"].split(",")
        features = [{"attributes": {n: row[n] for n in names}, "geometry": row["geometry"]} for row in found]
        more = {"exceededTransferLimit": True} if self.flagged and len(found) > self.limit else {}
        reference = {"spatialReference": {"wkid": self.wkid, "latestWkid": self.wkid}}
        return 200, {}, {"objectIdFieldName": "OBJECTID", **reference, "features": features[: self.limit], **more}

    def _found(self, parameters: dict[str, str]) -> Rows:
        if "objectIds" in parameters:
            request = {int(item) for item in parameters["objectIds"].split(",")}
            return [row for row in self.rows if row["OBJECTID"] in request]
        bounds = re.findall(r"OBJECTID (>=|<=|>|<|=) (-?\d+)", parameters.get("where", ""))
        compare: dict[str, Callable[[int, int], bool]] = {
            ">=": int.__ge__, "<=": int.__le__, ">": int.__gt__, "<": int.__lt__, "=": int.__eq__,
        }  # fmt: skip
        return [row for row in self.rows if all(compare[sign](row["OBJECTID"], int(n)) for sign, n in bounds)]


class SlowDataset:
    """A Socrata site that answers 202 to the first requests for rows."""

    def __init__(self, busy: int = 2) -> None:
        self.busy = busy
        self.rows = [
            {":id": f"row-{n}", "pin": f"{n:03}-100", "value": str(n * 100_000), "homestead": n % 2 == 1,
             "sold": "2024-03-05T00:00:00.000"}
            for n in range(1, 5)
        ]  # fmt: skip

    def answer(self, path: str, parameters: dict[str, str]) -> Answer:
        if path.startswith("/api/views/"):
            kinds = {"pin": "text", "value": "number", "homestead": "checkbox", "sold": "calendar_date"}
            return 200, {}, {"columns": [{"fieldName": n, "dataTypeName": k} for n, k in kinds.items()]}
        if self.busy:
            self.busy -= 1
            return 202, {}, {"status": "processing", "message": "The request is being processed, ask again"}
        if parameters["$select"].startswith("count"):
            return 200, {}, [{"row_count": str(len(self.rows))}]
        after = re.search(r":id > 'row-(\d)'", parameters.get("$where", ""))
        first = int(after.group(1)) if after else 0
        return 200, {}, self.rows[first : first + int(parameters["$limit"])]


def _far_date() -> Rows:
    rows = parcels(4)
    rows[2]["SOLD"] = FAR_YEAR
    return rows


def _nan_shape() -> Rows:
    rows = parcels(4)
    rows[2]["geometry"] = {"rings": [[[nan, nan]] * 4]}
    return rows


def _joined() -> Rows:
    rows = parcels(10)
    for row, number in zip(rows, (1, 2, 3, 4, 4, 4, 5, 6, 7, 8), strict=True):
        row["OBJECTID"] = number
    return rows


def _state_plane() -> Rows:
    rows = parcels(4)
    for index, row in enumerate(rows):
        row["geometry"] = square(1_300_500 + 500 * index, 200_000, 200)
    return rows


SERVICES: dict[str, Callable[[], Layer | SlowDataset]] = {
    "arcgis_double_numbers": lambda: Layer(parcels(4)),
    "arcgis_far_date": lambda: Layer(_far_date()),
    "arcgis_joined_ids": lambda: Layer(_joined(), limit=4),
    "arcgis_nan_shape": lambda: Layer(_nan_shape()),
    "arcgis_own_reference": lambda: Layer(_state_plane(), wkid=2285),
    "arcgis_short_by_little": lambda: Layer(parcels(1000, day=0), flagged=False),
    "arcgis_short_pages": lambda: Layer(parcels(12), limit=5, flagged=False),
    "socrata_202": SlowDataset,
}
