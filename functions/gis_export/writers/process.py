"""`python -m functions.gis_export.writers.process REQUEST`: the layer on standard input, written by GDAL.

The layer is Arrow's stream format. The answer on standard output is JSON: {} or {"error": GDAL's message}.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from shared.sources.files.geographic.gdal import GdalLog, prepare

_DATASET_OPTIONS = ("NameField",)


def main() -> None:
    """Carry out the request."""
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # no library writes on the answer's channel
    request = json.loads(sys.argv[1])
    with TemporaryDirectory(dir=Path(request["path"]).parent) as folder:
        log = prepare(Path(folder, "gdal.log"), also=("CSV", "KML"))
        outcome = _outcome(request, log)
    json.dump(outcome, answer)
    answer.flush()


def _outcome(request: dict[str, Any], log: GdalLog) -> dict[str, str]:
    try:
        _write(request)
    except (AttributeError, ImportError, NameError, TypeError):
        raise  # an error of ours: it ends the process
    except Exception as error:  # whatever GDAL raises
        return {"error": (log.errors() or [str(error) or type(error).__name__])[0]}
    errors = log.errors()
    return {"error": errors[0]} if errors else {}


def _write(request: dict[str, Any]) -> None:
    # after `prepare`: GDAL reads its settings when it is imported
    import pyogrio
    from nanoarrow import ipc
    from pyogrio import raw

    from functions.gis_export.writers.gdal_library import create_with_domains

    # a file that a crash cuts short is thrown away with its folder
    settings = {"OGR_SQLITE_SYNCHRONOUS": "OFF", "OGR_CURRENT_DATE": request.get("as_of")}
    pyogrio.set_gdal_config_options(settings)
    path = Path(request["path"])
    if request["domains"] and not path.exists():
        create_with_domains(path, request["driver"], request["domains"])
    geometry = {"geometry_name": "geometry", "crs": request["crs"]} if request["geometry_type"] else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is lost is an error in the log
        raw.write_arrow(
            ipc.InputStream.from_readable(sys.stdin.buffer),
            path,
            layer=request["layer"],
            driver=request["driver"],
            geometry_type=request["geometry_type"],
            **geometry,
            **_by_target(request["options"]),
        )


def _by_target(options: dict[str, str]) -> dict[str, Any]:
    """Options as pyogrio takes them: it does not find by itself which belong to a dataset of KML."""
    of_dataset = {name: value for name, value in options.items() if name in _DATASET_OPTIONS}
    of_layer = {name: value for name, value in options.items() if name not in _DATASET_OPTIONS}
    return {"dataset_options": of_dataset or None, "layer_options": of_layer or None}


if __name__ == "__main__":
    main()
