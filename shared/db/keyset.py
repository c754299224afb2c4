"""Pages of a statement in any order that a list offers, by the key of the row before, and counts with a bound."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, literal, or_, select

from shared.paging import MAX_COUNT, ListTotal
from shared.sorting import SortOrder

Key = tuple[Any, str]
"""A row's value of the sorted field, which may be None, and its id."""


def sorted_page(
    statement: Select[Any],
    fields: Mapping[str, ColumnElement[Any]],
    order: SortOrder,
    row_id: ColumnElement[str],
    *,
    after: Key | None,
    limit: int,
) -> Select[Any]:
    """The rows after a key: by the field, then by the id, which no two rows have; rows without a value last."""
    field = fields[order.field]
    direction = field.desc() if order.descending else field.asc()
    if after is not None:
        statement = statement.where(_is_after(field, row_id, after, descending=order.descending))
    if field is row_id:
        return statement.order_by(direction).limit(limit)
    if getattr(field, "nullable", True):  # an index serves the other order of nulls alone
        direction = direction.nulls_last()
    return statement.order_by(direction, row_id).limit(limit)


def _is_after(
    field: ColumnElement[Any], row_id: ColumnElement[str], after: Key, *, descending: bool
) -> ColumnElement[bool]:
    value, last_id = after
    if field is row_id:
        return row_id < last_id if descending else row_id > last_id
    if value is None:
        return and_(field.is_(None), row_id > last_id)
    beyond = field < value if descending else field > value
    return or_(beyond, and_(field == value, row_id > last_id), field.is_(None))


def bounded_count(connection: Connection, statement: Select[Any]) -> ListTotal:
    """The number of rows of a statement, or, of more than are counted, that there are as many at least."""
    rows = statement.with_only_columns(literal(1), maintain_column_froms=True).limit(MAX_COUNT + 1).subquery()
    count = int(connection.scalar(select(func.count()).select_from(rows)) or 0)
    return ListTotal(count=min(count, MAX_COUNT), exact=count <= MAX_COUNT)
