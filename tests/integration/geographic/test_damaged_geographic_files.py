"""Geographic files with bytes changed at random: read, or refused with the reason; nothing crashes with them.

`DAMAGED_FILES=500 pytest <this file>` tries more of them than the suite has time for.
"""

import io
import os
import random
import shutil
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import shapely

from shared.counties.source_description import FilesDescription
from shared.problems import Problem
from shared.sources.files.geographic import conversion
from tests.integration.geographic.layers import FORMATS, moved, sent, write_layer
from tests.unit.sources.bucket import COUNTY, put

FILES = int(os.environ.get("DAMAGED_FILES", "18"))
ROWS = 200
BOUNDS = conversion.Bounds(seconds=60, memory_mb=1769)
NAMELESS = ("Error:", "Exception", "fault of ours")
"""Words of a message that only names a class."""


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A layer in each format."""
    shapes = [shapely.box(-122.9 + i / 1000, 47, -122.8995 + i / 1000, 47.0005) for i in range(ROWS)]
    made = {}
    for format_ in FORMATS:
        code = 4326 if format_ in {"kml", "geojson"} else 2286
        fields = {
            "OWNER": np.array([f"Peña {i}" for i in range(ROWS)], dtype=object),
            "VALUE": np.arange(ROWS) * 1.5,
            "BUILT": np.arange(ROWS, dtype=np.int32),
        }
        folder = tmp_path_factory.mktemp(format_)
        made[format_] = write_layer(folder, format_, moved(shapes, code), code=code, fields=fields)
    return made


def damaged(original: Path, format_: str, folder: Path, chance: random.Random) -> bytes:
    """The file as it would be sent, with bytes changed, or cut off: in the archive or in one of the files in it."""
    if format_ not in {"shapefile", "file_geodatabase"} or chance.random() < 0.2:
        return changed(sent(original, format_), chance)
    if original.is_dir():
        copy = shutil.copytree(original, folder / original.name)
    else:
        folder.mkdir(parents=True)
        for file in original.parent.glob(f"{original.stem}.*"):
            shutil.copy(file, folder)
        copy = folder / original.name
    beside = sorted(copy.iterdir()) if copy.is_dir() else sorted(folder.glob("*"))
    victim = chance.choice([file for file in beside if file.stat().st_size])
    victim.write_bytes(changed(victim.read_bytes(), chance))
    return sent(copy, format_)


def changed(content: bytes, chance: random.Random) -> bytes:
    """Bytes at random places, in the beginning more often than elsewhere; sometimes the end is missing."""
    made = bytearray(content)
    for _ in range(chance.choice([1, 1, 2, 8, 64])):
        within = len(made) if chance.random() < 0.5 else min(len(made), 512)
        made[chance.randrange(within)] = chance.choice([0, 0xFF, chance.randrange(256)])
    return bytes(made[: chance.randrange(len(made))] if chance.random() < 0.15 else made)


def outcome(format_: str, number: int, content: bytes) -> str:
    """The outcome of reading a file: "read", or the reason of its refusal."""
    name = f"damaged-{number}.dat"
    put(name, content)
    described = FilesDescription.model_validate(
        {"kind": "files", "tables": {"parcels": {"format": format_, "file": name}}}
    )
    try:
        conversion.convert(COUNTY, described, "parcels", BOUNDS)
    except Problem as refused:
        return refused.detail
    return "read"


@pytest.mark.timeout(120 + 6 * FILES)
def test_a_damaged_file_is_read_or_refused_with_its_name_and_what_to_do(
    originals: dict[str, Path], tmp_path: Path
) -> None:
    def tried(number: int) -> tuple[int, str, str]:
        format_ = list(FORMATS)[number % len(FORMATS)]
        chance = random.Random(number)  # noqa: S311
        content = damaged(originals[format_], format_, tmp_path / str(number), chance)
        return number, format_, outcome(format_, number, content)

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(tried, range(FILES)))
    told = [(number, format_, said) for number, format_, said in outcomes if said != "read"]
    wrong = [
        (number, format_, said)
        for number, format_, said in told
        if f"damaged-{number}.dat" not in said or any(word in said for word in NAMELESS) or said.count(".") < 2
    ]
    print(f"{len(outcomes) - len(told)} of {len(outcomes)} files were read, {len(told)} refused")
    assert wrong == []
    assert told


def test_a_process_that_a_library_ends_is_told_as_the_files_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in for GDAL: no file is known that ends it, but it is C and C++."""
    fault = "import os, signal, sys; sys.stdin.read(); print('{\"reading\": 5000}', flush=True)"
    script = f"{fault}; os.kill(os.getpid(), signal.SIGSEGV)"
    monkeypatch.setattr(conversion, "_PROGRAM", ("-c", script))
    reason = outcome("geojson", 1, b"{}")
    assert reason.startswith(
        "damaged-1.dat is no GeoJSON file that can be read (after feature 5,000): it ended the library"
    )
    assert "signal 11" in reason


def test_a_process_that_takes_too_long_or_too_much_memory_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversion, "_PROGRAM", ("-c", "import time; time.sleep(60)"))
    described = FilesDescription.model_validate(
        {"kind": "files", "tables": {"parcels": {"format": "geojson", "file": "damaged-1.dat"}}}
    )
    put("damaged-1.dat", b"{ }")
    with pytest.raises(Problem, match=r"damaged-1\.dat takes longer than 0 seconds"):
        conversion.convert(COUNTY, described, "parcels", conversion.Bounds(seconds=0.2, memory_mb=1769))


def test_a_file_that_needs_more_memory_than_there_is_is_refused() -> None:
    feature = b'{"type":"Feature","properties":{"PIN":"1"},"geometry":{"type":"Polygon","coordinates":[['
    ring = b",".join(b"[-122.%06d,47.0]" % index for index in range(3_000_000))
    content = b'{"type":"FeatureCollection","features":[' + feature + ring + b"]]}}]}"
    put("damaged-2.dat", content)
    described = FilesDescription.model_validate(
        {"kind": "files", "tables": {"parcels": {"format": "geojson", "file": "damaged-2.dat"}}}
    )
    with pytest.raises(Problem, match=r"damaged-2\.dat is no GeoJSON file that can be read") as refused:
        conversion.convert(COUNTY, described, "parcels", conversion.Bounds(seconds=60, memory_mb=768))
    assert "send it again" in refused.value.detail


def test_an_archive_that_unpacks_to_too_much_is_refused() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for ending in ("shp", "shx", "dbf", "prj"):
            archive.writestr(f"parcels.{ending}", b"x")
    content = bytearray(buffer.getvalue())
    at = content.rindex(b"PK\x01\x02")
    content[at + 24 : at + 28] = (0xFFFFFFF0).to_bytes(4, "little")
    at = content.rindex(b"PK\x01\x02", 0, at)
    content[at + 24 : at + 28] = (0xFFFFFFF0).to_bytes(4, "little")
    assert "unpacks to 8.0 GiB" in outcome("shapefile", 3, bytes(content))
