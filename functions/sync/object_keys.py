"""Where a run's objects lie in the data bucket."""

from uuid import UUID

from shared.storage import county_key


def mapping_key(county_id: str, run_id: UUID) -> str:
    """The mapping that the run uses, whatever the county's mapping has become since."""
    return county_key(county_id, "sync", str(run_id), "mapping.yaml")


def lookup_key(county_id: str, run_id: UUID, definition: str) -> str:
    """The rows of a lookup, named by the digest of its definition, as the run found them (Parquet)."""
    return county_key(county_id, "sync", str(run_id), "lookups", f"{definition}.parquet")


def partitions_key(county_id: str, run_id: UUID) -> str:
    """The list of partitions that the state machine reads."""
    return county_key(county_id, "sync", str(run_id), "partitions.json")


def raw_key(county_id: str, run_id: UUID, table: str, number: int) -> str:
    """A partition's rows as they were read (Parquet)."""
    return county_key(county_id, "raw", table, f"run={run_id}", f"part-{number:05}.parquet")


def target_keys_key(raw: str) -> str:
    """The target keys of the rows that lie under a raw key (Parquet, one column `key`)."""
    county, _, rest = raw.partition("/raw/")
    return f"{county}/keys/{rest}"


def deleted_key(county_id: str, run_id: UUID, table: str) -> str:
    """The key columns of the rows that change tracking says were deleted (Parquet)."""
    return county_key(county_id, "sync", str(run_id), f"deleted-{table}.parquet")


def publication_key(county_id: str, run_id: UUID) -> str:
    """What a run publishes: its files, those it takes over and those it writes."""
    return county_key(county_id, "sync", str(run_id), "publication.json")


def ahead_key(county_id: str, run_id: UUID) -> str:
    """The files that were written while the run was applied."""
    return county_key(county_id, "sync", str(run_id), "ahead.json")


def files_key(county_id: str, run_id: UUID) -> str:
    """The list of files to write that the state machine reads."""
    return county_key(county_id, "sync", str(run_id), "files.json")


def curated_key(county_id: str, run_id: UUID, table: str, number: int) -> str:
    """A part of a table as it was applied (Parquet, typed)."""
    return county_key(county_id, "curated", table, f"run={run_id}", f"part-{number:05}.parquet")


def manifest_key(county_id: str, run_id: UUID) -> str:
    """The files that make up the county's tables after a run."""
    return county_key(county_id, "curated", "manifests", f"{run_id}.json")


def latest_manifest_key(county_id: str) -> str:
    """A copy of the newest run's manifest, replaced when all its files are there."""
    return county_key(county_id, "curated", "latest.json")


def athena_key(county_id: str, table: str) -> str:
    """The list of a table's files that Athena follows; its folder is the location of the county's partition."""
    return county_key(county_id, "curated", "athena", table, "files.txt")
