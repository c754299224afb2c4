"""Keyset pages of what belongs to a run."""

from collections.abc import Callable, Sequence
from typing import Any, NoReturn, TypeVar
from uuid import UUID

from sqlalchemy import Connection, Row

from functions.sync.domain.runs import RunState
from functions.sync.repository import runs
from shared.db import unit_of_work
from shared.paging import Page, decode_token, encode_token
from shared.problems import NotFound
from shared.schemas import Schema

MAX_PAGE = 500
"""Items of a page at most. A choice: source rows with every column are some kilobytes each, and an answer of a Lambda
has 6 MB at most (AWS's limit)."""

Item = TypeVar("Item", bound=Schema)
AnyRow = Row[*tuple[Any, ...]]


def page_of_run(
    county_id: str,
    run_id: UUID,
    query: list[Any],
    *,
    parse: Sequence[Callable[[str], Any]],
    read: Callable[[Connection, tuple[Any, ...] | None, int], list[AnyRow]],
    to_item: Callable[[AnyRow], Item],
    key: Callable[[Item], list[str]],
    page_size: int,
    page_token: str | None,
) -> Page[Item]:
    """A page of a run's rows. Raises NotFound for the run, BadRequest for a token of another query.

    `query`: the name of the list and its filters. `parse`: parsers of the parts of a key. `read`: at most so many rows
    after a key (None: from the beginning). `key`: the key of an item, as texts.
    """
    query = [query[0], county_id, str(run_id), *query[1:]]
    size = min(page_size, MAX_PAGE)
    after = decode_token(query, page_token, *parse)
    with unit_of_work(county_id) as connection:
        require_run(runs.find(connection, county_id, run_id), county_id, run_id)
        rows = read(connection, after, size + 1)
    items = [to_item(row) for row in rows[:size]]
    return Page(items=items, next_page_token=encode_token(query, key(items[-1])) if len(rows) > size else None)


def from_row(model: type[Item], row: AnyRow, **values: Any) -> Item:
    """A model from the columns of the same names, and `values`."""
    return model(**values, **{name: getattr(row, name) for name in model.model_fields.keys() - values.keys()})


def require_run(run: RunState | None, county_id: str, run_id: UUID) -> RunState:
    """The run. Raises NotFound for None."""
    if run is None:
        raise_not_found(county_id, run_id)
    return run


def raise_not_found(county_id: str, run_id: UUID) -> NoReturn:
    """Raise NotFound for a run."""
    raise NotFound(f"{county_id} has no sync run {run_id}.", slug="sync-run-not-found")
