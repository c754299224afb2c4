"""`python -m shared.typesetting.process`: a document of several files typeset by typst, which may read nothing else.

The request is JSON on standard input: `files` by name, of which `main.typ` is the document, the `inputs` that it reads
as `sys.inputs`, the `timestamp` of the PDF, its `path`, and the limits `memory_mb` and `seconds`. The answer on
standard output is JSON: `marks`, the values of the elements that are labelled `<mark>`, or `error` with `message`,
`file` and `line`.
"""

from __future__ import annotations

import json
import os
import re
import resource
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import typst

_NOWHERE = "/dev/null/packages"
"""Neither a folder nor a place for one: a package is neither found nor kept, so that none is imported."""
_PLACE = re.compile(r"┌─ (\S+?):(\d+):\d+")
"""Where a diagnostic of typst points to: file, line and column."""


def main() -> None:
    """Carry out the request on standard input."""
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # no library writes on the answer's channel
    request = json.loads(sys.stdin.read())
    _limit(resource.RLIMIT_DATA, request["memory_mb"] << 20)
    _limit(resource.RLIMIT_CPU, request["seconds"])
    try:
        outcome: dict[str, Any] = {"marks": _typeset(request)}
    except typst.TypstError as error:
        place = _PLACE.search(error.diagnostic)
        outcome = {
            "error": {
                "message": error.message,
                "file": Path(place[1]).name if place else None,
                "line": int(place[2]) if place else None,
            }
        }
    json.dump(outcome, answer)
    answer.flush()


def _typeset(request: dict[str, Any]) -> list[Any]:
    with TemporaryDirectory() as empty:
        files: Any = {name: text.encode() for name, text in request["files"].items()}
        fonts = typst.Fonts(include_system_fonts=False)
        surroundings: dict[str, Any] = {
            "root": cast(bytes, empty),  # their types want all paths alike
            "font_paths": fonts,
            "sys_inputs": request["inputs"],
            "package_path": _NOWHERE,
            "package_cache_path": _NOWHERE,
        }
        timestamp = datetime.fromtimestamp(request["timestamp"], UTC)
        pdf = typst.compile(files, format="pdf", pdf_standards="ua-1", timestamp=timestamp, **surroundings)
        Path(request["path"]).write_bytes(pdf)
        marks: list[Any] = json.loads(typst.query(files, "<mark>", field="value", **surroundings))
    return marks


def _limit(kind: int, amount: int) -> None:
    """Bound this process, so that a template ends it and not the function. Not every system has such limits."""
    with suppress(ValueError, OSError):
        resource.setrlimit(kind, (amount, amount))


if __name__ == "__main__":
    main()
