"""Which curated files make up a county's tables: ranges of keys, as the last manifest has them or cut anew."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

from pydantic import ValidationError

from functions.sync.domain.publication import Manifest, ManifestFile, PlannedFile
from functions.sync.engine.run_context import RunContext
from functions.sync.object_keys import curated_key, latest_manifest_key
from shared import storage
from shared.problems import NotFound

ROWS_PER_FILE = 50_000
LARGEST_FILE = 1.5
"""How far a file may outgrow that before its table is cut anew."""


def latest_manifest(county_id: str) -> Manifest | None:
    """What the county has published last, as far as it can be read: what is lost or damaged is published anew."""
    try:
        return Manifest.model_validate_json(storage.get(latest_manifest_key(county_id)))
    except (NotFound, ValidationError):
        return None


def still_there(files: Sequence[ManifestFile]) -> list[ManifestFile | None]:
    """The files, with None for those that are lost: they are written anew."""
    with ThreadPoolExecutor(max_workers=min(16, len(files) or 1)) as pool:
        return list(pool.map(_if_there, files))


def _if_there(file: ManifestFile) -> ManifestFile | None:
    try:
        return file if storage.find(file.key).size > 0 else None
    except NotFound:
        return None


def plan_files(
    context: RunContext,
    table: str,
    bounds: Sequence[str],
    rows: Sequence[int],
    kept: Sequence[ManifestFile | None] | None = None,
) -> list[PlannedFile]:
    """A file for each range up to bounds[0], ..., after bounds[-1]: the one that is `kept`, or one to be written."""
    edges: list[str | None] = [None, *bounds, None]
    planned = []
    for number, (lower, upper) in enumerate(pairwise(edges), start=1):
        old = kept[number - 1] if kept is not None else None
        key = curated_key(context.county_id, context.run_id, table, number)
        file = old or ManifestFile(key=key, rows=rows[number - 1], upper_key=upper)
        planned.append(PlannedFile(file=file, lower_key=lower, written=old is None))
    return planned
