"""Typesetting with a template that is not ours: in a process that has no credentials, reads no file, and is bounded."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from shared.typesetting.glyphs import displayable

_PROCESS = "shared.typesetting.process"
_PASSED_VARIABLES = ("PATH", "HOME", "TMPDIR", "LANG", "LD_LIBRARY_PATH", "PYTHONHOME")
"""Environment variables passed to the process, without credentials."""


@dataclass(frozen=True)
class TypesettingLimits:
    """Memory and seconds of a processor that typesetting one document may take."""

    memory_mb: int
    seconds: int


class TypesettingError(Exception):
    """A document that cannot be typeset: the reason, with its file and line where they are known."""

    def __init__(self, message: str, file: str | None = None, line: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.file = file
        self.line = line


def typeset(
    files: Mapping[str, str], inputs: Mapping[str, Any], generated_at: datetime, path: Path, limits: TypesettingLimits
) -> list[Any]:
    """Typeset a document to a PDF/UA-1 file; returns the values of its elements labelled `<mark>`.

    `files` are all that it can read, `main.typ` among them; it reads each of the `inputs` as
    `json(bytes(sys.inputs.NAME))`. The same arguments give the same bytes. Raises TypesettingError.
    """
    request = {
        "files": dict(files),
        "inputs": {name: orjson.dumps(displayable(value)).decode() for name, value in inputs.items()},
        "timestamp": int(generated_at.timestamp()),
        "path": str(path),
        "memory_mb": limits.memory_mb,
        "seconds": limits.seconds,
    }
    answer = _answer_of(json.dumps(request).encode(), limits)
    if "error" in answer:
        raise TypesettingError(**answer["error"])
    marks: list[Any] = answer["marks"]
    return marks


def _answer_of(request: bytes, limits: TypesettingLimits) -> dict[str, Any]:
    environment = {name: os.environ[name] for name in _PASSED_VARIABLES if name in os.environ}
    environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    try:
        ended = subprocess.run(  # noqa: S603 - no shell, and all arguments are constants
            [sys.executable, "-m", _PROCESS],
            input=request,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            timeout=2 * limits.seconds,  # its processors may be shared
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _beyond(limits) from None
    if not ended.stdout:
        raise _beyond(limits)
    answer: dict[str, Any] = json.loads(ended.stdout)
    return answer


def _beyond(limits: TypesettingLimits) -> TypesettingError:
    return TypesettingError(f"it takes more than {limits.seconds} seconds or {limits.memory_mb:,} MB to typeset")
