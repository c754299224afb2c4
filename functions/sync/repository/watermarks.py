"""Watermarks: the position up to which each target's source has been read."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Connection, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from functions.sync.domain.runs import TablePlan, Watermark
from shared.db.models import SyncWatermark

_COLUMNS = [getattr(SyncWatermark, name) for name in Watermark.model_fields]


def of_county(connection: Connection, county_id: str) -> dict[str, Watermark]:
    """The county's watermarks by target table."""
    rows = connection.execute(select(*_COLUMNS).where(SyncWatermark.county_id == county_id))
    return {row.table_name: Watermark.model_validate(dict(row._mapping)) for row in rows}


def advance(connection: Connection, county_id: str, run_id: UUID, plan: dict[str, TablePlan]) -> None:
    """Advance the watermarks to those of a run's plan, in the transaction that applies the run."""
    for table, read in plan.items():
        if read.watermark is None and read.change_version is None:
            continue
        values = {
            "mapping_digest": read.mapping_digest,
            "watermark": read.watermark,
            "change_version": read.change_version,
            "run_id": run_id,
        }
        connection.execute(
            insert(SyncWatermark)
            .values(county_id=county_id, table_name=table, **values)
            .on_conflict_do_update(index_elements=["county_id", "table_name"], set_={**values, "moved_at": func.now()})
        )


def forget(connection: Connection, county_id: str, tables: Sequence[str]) -> None:
    """Delete the watermarks of tables, so that the next incremental run reads them whole."""
    connection.execute(
        delete(SyncWatermark).where(SyncWatermark.county_id == county_id, SyncWatermark.table_name.in_(list(tables)))
    )
