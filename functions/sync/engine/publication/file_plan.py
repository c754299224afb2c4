"""The curated files that make up a county's tables: key ranges of the last manifest, or cut anew."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from uuid import UUID

from pydantic import ValidationError

from functions.sync.domain.publication import Manifest, ManifestFile, PlannedFile, Publication
from functions.sync.engine.run_context import RunContext
from functions.sync.object_keys import curated_key, latest_manifest_key, publication_key
from shared import storage
from shared.problems import NotFound

ROWS_PER_FILE = 50_000
"""Rows of a curated file: those of a partition, so that a changed row rewrites about as much as it reads again."""
MAX_FILE_GROWTH = 1.5
"""Factor by which a file may outgrow ROWS_PER_FILE before its table is cut anew; a choice, as that of partitions."""
_MAX_LOOKUPS = 16
"""Requests at a time to the object store. A choice: a county's table has some tens of files."""


def latest_manifest(county_id: str) -> Manifest | None:
    """The county's last manifest; None where it is missing or damaged, so that everything is published anew."""
    try:
        return Manifest.model_validate_json(storage.get(latest_manifest_key(county_id)))
    except (NotFound, ValidationError):
        return None


def load_publication(county_id: str, run_id: UUID) -> Publication:
    """The run's plan of what it publishes. Raises NotFound before Prepare has made it."""
    return Publication.model_validate_json(storage.get(publication_key(county_id, run_id)))


def existing_files(files: Sequence[ManifestFile]) -> list[ManifestFile | None]:
    """The files, with None for those whose objects are lost: they are written anew."""
    with ThreadPoolExecutor(max_workers=min(_MAX_LOOKUPS, len(files) or 1)) as pool:
        return list(pool.map(_existing, files))


def _existing(file: ManifestFile) -> ManifestFile | None:
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
    """A file for each range up to bounds[0], ..., after bounds[-1]: the one `kept` for it, or one to be written.

    `rows` are those of each range.
    """
    edges: list[str | None] = [None, *bounds, None]
    planned = []
    for number, (lower, upper) in enumerate(pairwise(edges), start=1):
        existing = kept[number - 1] if kept is not None else None
        key = curated_key(context.county_id, context.run_id, table, number)
        file = existing or ManifestFile(key=key, rows=rows[number - 1], upper_key=upper)
        planned.append(PlannedFile(file=file, lower_key=lower, written=existing is None))
    return planned
