"""GDAL's driver for the OGC API, run on a served address."""

import json
import os
import subprocess
import sys
from typing import Any

_READ = """
import json, sys
import numpy, pyogrio, shapely
from pyogrio.raw import read
address, layer, options, arguments = sys.argv[1], sys.argv[2], json.loads(sys.argv[3]), json.loads(sys.argv[4])
if "bbox" in arguments:
    arguments["bbox"] = tuple(arguments["bbox"])
if not layer:
    print(json.dumps(sorted(name for name, _ in pyogrio.list_layers(address))))
else:
    meta, _, shapes, values = read(address, layer=layer, **arguments, **options)
    bounds = shapely.total_bounds(shapely.from_wkb(shapes)).tolist()
    names = meta["fields"].tolist()
    ids = [str(value) for value in values[names.index(names[0])]]
    print(json.dumps({"count": len(shapes), "bounds": bounds, "fields": names, "ids": ids, "crs": meta["crs"]}))
"""
"""In a process of its own: GDAL holds the interpreter's lock while it waits for the API."""


def with_token(token: str) -> dict[str, str]:
    """GDAL's settings of a caller with an access token."""
    return {"GDAL_HTTP_AUTH": "BEARER", "GDAL_HTTP_BEARER": token}


def with_key(secret: str) -> dict[str, str]:
    """GDAL's settings of a caller with an access key, as a password."""
    return {"GDAL_HTTP_AUTH": "BASIC", "GDAL_HTTP_USERPWD": f"key:{secret}"}


def read(
    address: str, login: dict[str, str], layer: str, options: dict[str, str] | None = None, **arguments: Any
) -> Any:
    """What GDAL reads of a layer; the names of the layers for the name ""."""
    command = [sys.executable, "-c", _READ, address, layer, json.dumps(options or {}), json.dumps(arguments)]
    done = subprocess.run(
        command, env={**os.environ, **login}, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)
