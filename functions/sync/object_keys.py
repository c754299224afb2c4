"""Keys of a run's objects in the data bucket."""

from uuid import UUID

from shared.storage import county_key


def mapping_key(county_id: str, run_id: UUID) -> str:
    """The mapping with which the run was planned."""
    return county_key(county_id, "sync", str(run_id), "mapping.yaml")


def lookup_key(county_id: str, run_id: UUID, definition: str) -> str:
    """The rows of a lookup as the run read them (Parquet), named by the digest of its definition."""
    return county_key(county_id, "sync", str(run_id), "lookups", f"{definition}.parquet")


def partitions_key(county_id: str, run_id: UUID) -> str:
    """The list of partitions that the state machine reads."""
    return county_key(county_id, "sync", str(run_id), "partitions.json")


def raw_key(county_id: str, run_id: UUID, table: str, number: int) -> str:
    """A partition's rows as they were read (Parquet)."""
    return county_key(county_id, "raw", table, f"run={run_id}", f"part-{number:05}.parquet")


def target_keys_key(raw: str) -> str:
    """The target keys of the rows of a raw object (Parquet, one column `key`)."""
    county, _, rest = raw.partition("/raw/")
    return f"{county}/keys/{rest}"


def deleted_rows_key(county_id: str, run_id: UUID, table: str) -> str:
    """The key columns of the rows that change tracking reports as deleted (Parquet)."""
    return county_key(county_id, "sync", str(run_id), f"deleted-{table}.parquet")


def publication_key(county_id: str, run_id: UUID) -> str:
    """The plan of a run's publication."""
    return county_key(county_id, "sync", str(run_id), "publication.json")


def early_files_key(county_id: str, run_id: UUID) -> str:
    """The list of files written while the run was applied."""
    return county_key(county_id, "sync", str(run_id), "ahead.json")


def files_key(county_id: str, run_id: UUID) -> str:
    """The list of files to write that the state machine reads."""
    return county_key(county_id, "sync", str(run_id), "files.json")


def curated_key(county_id: str, run_id: UUID, table: str, number: int) -> str:
    """A curated file: a key range of a table (Parquet, typed)."""
    return county_key(county_id, "curated", table, f"run={run_id}", f"part-{number:05}.parquet")


def manifest_key(county_id: str, run_id: UUID) -> str:
    """The manifest of the county's curated tables after a run."""
    return county_key(county_id, "curated", "manifests", f"{run_id}.json")


def latest_manifest_key(county_id: str) -> str:
    """A copy of the last manifest, replaced when all files of the next one exist."""
    return county_key(county_id, "curated", "latest.json")


def athena_key(county_id: str, table: str) -> str:
    """The list of a table's files that Athena follows; its folder is the location of the county's partition."""
    return county_key(county_id, "curated", "athena", table, "files.txt")
