"""Earlier versions of synced rows: for each synced table a table of what was superseded, made from it."""

from typing import Any, cast
from uuid import UUID

from sqlalchemy import Column, DateTime, Table, Uuid

from shared.db.models.base import Model, Synced
from shared.db.models.property import Assessment, Exemption, Improvement, Owner, PropertyOperational, Sale

SyncedModel = type[PropertyOperational | Improvement | Sale | Owner | Assessment | Exemption]

SYNC_TARGETS: dict[str, SyncedModel] = {
    model.__tablename__: model for model in (PropertyOperational, Improvement, Sale, Owner, Assessment, Exemption)
}
"""The tables that a mapping may target, by name."""

PROVENANCE = frozenset(Synced.__annotations__) | {"county_id"}
"""Columns of a synced row that the platform fills, not the mapping."""


_VALID_TO, _SUPERSEDED_BY = "valid_to", "superseded_by_run"

VERSION_ENDS = frozenset({_VALID_TO, _SUPERSEDED_BY})
"""Columns of a version beside the row's own: its end, and the run that ended it."""


def _table(model: SyncedModel) -> Table:
    return cast(Table, model.__table__)  # declarative types it as FromClause


def key_column(model: SyncedModel) -> str:
    """The name of the row's own id, beside the county's."""
    (name,) = (c.name for c in _table(model).primary_key.columns if c.name != "county_id")
    return name


def _history_of(model: SyncedModel) -> Table:
    own_key = key_column(model)
    columns: list[Column[Any]] = [
        Column(c.name, c.type, primary_key=c.primary_key or c.name == "version", nullable=c.nullable)
        for c in _table(model).columns
        if c.computed is None
    ]
    columns += [
        Column(_VALID_TO, DateTime(timezone=True), nullable=False),
        Column(_SUPERSEDED_BY, Uuid[UUID], nullable=True),
    ]
    if own_key not in {c.name for c in columns}:
        raise LookupError(f"{model.__tablename__} has no key of its own")
    return Table(f"{model.__tablename__}_history", Model.metadata, *columns)


_HISTORY = {name: _history_of(model) for name, model in SYNC_TARGETS.items()}


def history_table(model: SyncedModel) -> Table:
    """The table of superseded versions: the row's columns, `valid_to`, and the run that superseded it.

    A version was the county's truth in [valid_from, valid_to).
    """
    return _HISTORY[model.__tablename__]


BEGINS = "greatest(now(), t.valid_from + interval '1 microsecond')"
"""SQL of when the version after that of the row `t` begins, and its own ends. `now()` is when the transaction began: a
version that another transaction made since, while this one waited for the row, has its time too."""


def versioned_columns(model: SyncedModel) -> list[str]:
    """The columns that are kept of a version."""
    return [column.name for column in history_table(model).columns if column.name not in VERSION_ENDS]


def keep_versions(model: SyncedModel, which: str, by: str) -> str:
    """SQL that puts the present versions of rows into the history, and holds the rows until the transaction ends.

    `which` follows `FROM table AS t`: joins and the condition. `by` is SQL of the run or approval that supersedes them.
    """
    names = [f'"{name}"' for name in versioned_columns(model)]
    return (
        f'INSERT INTO "{history_table(model).name}" ({", ".join(names)}, {_VALID_TO}, {_SUPERSEDED_BY})'  # noqa: S608 - names of models
        f" SELECT {', '.join(f't.{name}' for name in names)}, {BEGINS}, {by}"
        f' FROM "{model.__tablename__}" AS t {which} FOR UPDATE OF t'
    )
