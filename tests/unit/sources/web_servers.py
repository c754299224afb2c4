"""Local servers with the limits, faults and error answers of ArcGIS and Socrata.

Conditions are evaluated by SQLite, so that what is asked for is what is found.
"""

import json
import re
import sqlite3
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

Answer = tuple[int, dict[str, str], Any]


@dataclass
class Server:
    """Serves `answer(path, parameters, headers)`; the next answers may be faults put in `faults`."""

    answer: Callable[[str, dict[str, str]], Answer]
    faults: list[Answer] = field(default_factory=list)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    def start(self, tls: ssl.SSLContext | None = None) -> str:
        """Start the server; its address."""
        served = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                parameters = dict(parse_qsl(parts.query, keep_blank_values=True))
                served.requests.append((parts.path, parameters))
                served.headers.append(dict(self.headers))
                status, headers, body = served.faults.pop(0) if served.faults else served.answer(parts.path, parameters)
                content = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                declared = int(headers.pop("Declared-Length", len(content)))
                for name, value in {**headers, "Content-Length": str(declared)}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)
                self.close_connection = declared != len(content)

            def log_message(self, *_: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if tls is not None:
            self._http.socket = tls.wrap_socket(self._http.socket, server_side=True)
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()
        return f"http{'s' if tls else ''}://127.0.0.1:{self._http.server_port}"

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()


class ArcGis:
    """A feature layer numbered 0 of squares; at most `limit` features an answer, and `heavy` ones with shapes.

    What it does wrong on request: `declared`, another limit than it has; `flagged` False, not saying that it cut off;
    `hidden`, object ids that it lists and does not give; `told_ids`, how many ids it lists; `after_ids`, what happens
    once it has listed them; `rename`, other names of attributes; `wkid`, another reference system than asked for.
    """

    def __init__(self, features: list[dict[str, Any]], limit: int = 4, heavy: int = 4) -> None:
        self.limit, self.heavy = limit, heavy
        self.declared: int | None = None
        self.flagged = True
        self.hidden: set[int] = set()
        self.told_ids: int | None = None
        self.after_ids: Callable[[], object] | None = None
        self.rename: Callable[[str], str] = str
        self.wkid = 4326
        self.fields = [
            {"name": "OBJECTID", "type": "esriFieldTypeOID"}, {"name": "PIN", "type": "esriFieldTypeString"},
            {"name": "VALUE", "type": "esriFieldTypeDouble"}, {"name": "EDITED", "type": "esriFieldTypeDate"},
            {"name": "Shape", "type": "esriFieldTypeGeometry"},
        ]  # fmt: skip
        self.rows = features

    def answer(self, path: str, parameters: dict[str, str]) -> Answer:
        if parameters.get("f") != "json":
            return 200, {"Content-Type": "text/html"}, b"<html>ArcGIS REST Services Directory</html>"
        if path.endswith("/FeatureServer/0"):
            return 200, {}, {
                "fields": self.fields, "objectIdField": "OBJECTID", "maxRecordCount": self.declared or self.limit,
                "geometryType": "esriGeometryPolygon", "advancedQueryCapabilities": {"supportsStatistics": True},
            }  # fmt: skip
        if not path.endswith("/FeatureServer/0/query"):
            return 200, {}, {"error": {"code": 400, "message": "Invalid URL", "details": []}}
        try:
            features = self._found(parameters["where"])
        except (KeyError, sqlite3.Error):
            return 200, {}, {"error": {"code": 400, "message": "Unable to perform query.", "details": []}}
        return 200, {}, self._answer(features, parameters)

    def _answer(self, result: list[dict[str, Any]], parameters: dict[str, str]) -> Any:
        if parameters.get("returnCountOnly") == "true":
            return {"count": len(result)}
        if parameters.get("returnIdsOnly") == "true":  # in no order, and without a limit
            ids = [row["OBJECTID"] for row in result][::-1][: self.told_ids]
            act, self.after_ids = self.after_ids, None
            if act is not None:
                act()
            return {"objectIdFieldName": "OBJECTID", "objectIds": ids or None}
        if "outStatistics" in parameters:
            (asked,) = json.loads(parameters["outStatistics"])
            values = [row[asked["onStatisticField"]] for row in result if row[asked["onStatisticField"]] is not None]
            return {"features": [{"attributes": {"HIGHEST": max(values, default=None)}}]}
        with_shapes = parameters.get("returnGeometry", "true") == "true"
        if with_shapes and len(result) > self.heavy:
            return {"error": {"code": 500, "message": "Error performing query operation", "details": []}}
        names = parameters["outFields"].split(",")
        features = [
            {
                "attributes": {self.rename(name): row[name] for name in names},
                **({"geometry": square(row)} if with_shapes else {}),
            }
            for row in result[: self.limit]
            if row["OBJECTID"] not in self.hidden
        ]
        limited = {"exceededTransferLimit": True} if self.flagged and len(result) > self.limit else {}
        reference = {"spatialReference": {"wkid": self.wkid}}
        return {"objectIdFieldName": "OBJECTID", **reference, "features": features, **limited}

    def _found(self, where: str) -> list[dict[str, Any]]:
        milliseconds = r"(1000 * CAST(strftime('%s', '\1') AS INTEGER))"
        where = re.sub(r"timestamp '([^']*)'", milliseconds, where)
        names = ["OBJECTID", "PIN", "VALUE", "EDITED"]
        with sqlite3.connect(":memory:") as database:
            database.execute(f"CREATE TABLE t ({', '.join(names)})")
            database.executemany("INSERT INTO t VALUES (?, ?, ?, ?)", [[row[n] for n in names] for row in self.rows])
            ids = {row[0] for row in database.execute(f"SELECT OBJECTID FROM t WHERE {where}")}
        return [row for row in self.rows if row["OBJECTID"] in ids]


def square(row: dict[str, Any]) -> dict[str, Any]:
    """A square of 0.01 degrees, clockwise; row 3 has none, row 5 a hole."""
    x, y = -120.0 + row["OBJECTID"] / 100, 47.0
    outer = [[x, y], [x, y + 0.01], [x + 0.01, y + 0.01], [x + 0.01, y], [x, y]]
    hole = [[x + 0.004, y + 0.004], [x + 0.006, y + 0.004], [x + 0.006, y + 0.006], [x + 0.004, y + 0.006],
            [x + 0.004, y + 0.004]]  # fmt: skip
    if row.get("rings") is not None:
        return {"rings": row["rings"]}
    if row["OBJECTID"] == 3:
        return {}
    return {"rings": [outer, hole] if row["OBJECTID"] == 5 else [outer]}


class Socrata:
    """The dataset abcd-1234; null fields are left out of a row, as Socrata does."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.rows = rows

    def answer(self, path: str, parameters: dict[str, str]) -> Answer:
        if path == "/api/views/abcd-1234.json":
            kinds = {"pin": "text", "value": "number", "shape": "polygon", "tags": "document",
                     ":@computed_region_x": "number"}  # fmt: skip
            return 200, {}, {"columns": [{"fieldName": n, "dataTypeName": k} for n, k in kinds.items()]}
        if path != "/resource/abcd-1234.json":
            return 404, {}, {"code": "dataset.missing", "error": True, "message": "Not found", "data": {}}
        try:
            return 200, {}, self._select(parameters)
        except sqlite3.Error as error:
            message = f"Query coordinator error: query.soql.no-such-column; {error}"
            return 400, {}, {"code": "query.soql.no-such-column", "error": True, "message": message}

    def _select(self, parameters: dict[str, str]) -> list[dict[str, Any]]:
        def translated(text: str) -> str:
            return re.sub(r":(id|updated_at|created_at)\b", r'"_\1"', text)

        names = ["_id", "_created_at", "_updated_at", "pin", "value"]
        where = translated(parameters.get("$where", "1=1"))
        order = translated(parameters.get("$order", "pin"))
        with sqlite3.connect(":memory:") as database:
            database.execute(f"CREATE TABLE t ({', '.join(names)}, place)")
            for index, row in enumerate(self.rows):
                values = [row.get(f":{n[1:]}" if n.startswith("_") else n) for n in names]
                database.execute("INSERT INTO t VALUES (?, ?, ?, ?, ?, ?)", [*values, index])
            aggregate = re.fullmatch(r"(count|max)\((.*)\) AS (\w+)", parameters["$select"])
            if aggregate:
                function, column, name = aggregate.groups()
                ((value,),) = database.execute(f"SELECT {function}({translated(column)}) FROM t WHERE {where}")
                return [{name: str(value)}] if value is not None else [{}]
            limit = int(parameters.get("$limit", 1000))
            places = database.execute(f"SELECT place FROM t WHERE {where} ORDER BY {order} LIMIT {limit}").fetchall()
        chosen = [name.strip() for name in parameters["$select"].split(",")]
        rows = [self.rows[index] for (index,) in places]
        return [{k: v for k, v in row.items() if v is not None and (k in chosen or "*" in chosen)} for row in rows]
