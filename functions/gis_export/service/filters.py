"""Filters of a request as SQL without parameters: COPY takes none."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.dialects import postgresql

from functions.gis_export.repository.selections import EVERY_ROW, RowFilter
from shared.cql2 import FilterError, compile_filter, read_filter
from shared.layers import Layer
from shared.layers.filters import queryables_of
from shared.problems import Unprocessable

_DIALECT = postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call]
"""With the driver's own style, per cent signs would be doubled."""


def filter_of(layer: Layer, content: str | dict[str, Any] | None) -> RowFilter:
    """A filter of a layer, as CQL2 text or JSON. Raises Unprocessable with the place of what is not valid."""
    if content is None:
        return EVERY_ROW
    try:
        language = "cql2-text" if isinstance(content, str) else "cql2-json"
        compiled = compile_filter(read_filter(content, language), queryables_of(layer))  # type: ignore[arg-type]
    except FilterError as error:
        place = error.faults[0].pointer if error.faults and isinstance(content, dict) else ""
        raise Unprocessable(
            f"The filter does not fit the layer {layer.name}: {error.detail}",
            pointer=f"/body/filter{place}",
            slug="filter-invalid",
        ) from None
    return RowFilter(_sql(compiled.condition), tuple(map(_sql, compiled.flags)), compiled.residual)


def _sql(condition: ColumnElement[bool]) -> str:
    """A condition with its values as literals, which the dialect quotes."""
    return f"({condition.compile(dialect=_DIALECT, compile_kwargs={'literal_binds': True})})"
