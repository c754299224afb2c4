"""Charts of columns: counts side by side, from left to right."""

from __future__ import annotations

from collections.abc import Sequence

from functions.reporting.domain.contents import Bar, Drawing, Ink, Tick
from functions.reporting.render.charts.axis import round_axis
from shared.typesetting import display


def column_chart(
    title: str,
    alternative: str,
    counts: Sequence[tuple[str, int]],
    *,
    x_title: str,
    height: float = 130,
    ink: Ink = "ink",
    labels_every: int = 1,
) -> Drawing:
    """A column for each name and count; of the names every so-manieth is written."""
    axis = round_axis((count for _, count in counts), from_zero=True)
    pitch = 1 / max(len(counts), 1)
    return Drawing(
        title=title,
        alternative=alternative,
        shapes=[
            Bar(round((number + 0.08) * pitch, 5), 0, round(0.84 * pitch, 5), axis.position(count), ink)
            for number, (_, count) in enumerate(counts)
            if count
        ],
        height=height,
        x_ticks=[
            Tick(round((number + 0.5) * pitch, 5), name, is_line=False)
            for number, (name, _) in enumerate(counts)
            if number % labels_every == 0
        ],
        y_ticks=axis.ticks(lambda value: display.count(round(value))),
        x_title=x_title,
    )
