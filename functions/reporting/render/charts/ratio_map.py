"""The map of a ratio study: parcels in the color of their neighborhood's median ratio."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from functions.reporting.domain.contents import Drawing, Ink
from functions.reporting.domain.parcel_shapes import MapParcel, Position, window_around
from functions.reporting.render.charts.parcel_map import MapLayer, parcel_map
from shared.typesetting import display

PlacedParcel = tuple[Position, str]
"""The position of a parcel, and its neighborhood."""

_HEIGHT, _WIDTH = 165.0, 228.0
_OUTLYING = 0.005
"""Of the positions, at each end of both axes: a parcel with a wrong position must not shrink the others to a point."""
_MARGIN = 0.04
_MIN_HEIGHT_M = 500.0


def ratio_map(
    parcels: Sequence[PlacedParcel], medians: Mapping[str, float], level: tuple[float, float]
) -> Drawing | None:
    """Parcels of neighborhoods below, within and above the range of the level; None where no parcel's has a median."""
    groups: dict[str, list[MapParcel]] = {"none": [], "within": [], "below": [], "above": []}
    for number, (position, neighborhood) in enumerate(parcels):
        groups[_place(medians.get(neighborhood), level)].append(MapParcel(str(number), position, None))
    if len(groups["none"]) == len(parcels):
        return None
    described = display.interval(*level, 2)
    layers: list[tuple[str, Ink, str]] = [
        ("none", "pale", "too few sales"),
        ("within", "second", f"{described}"),
        ("below", "ink", f"below {display.decimals(level[0], 2)}"),
        ("above", "alarm", f"above {display.decimals(level[1], 2)}"),
    ]
    numbers = {name: sum(1 for median in medians.values() if _place(median, level) == name) for name in groups}
    return parcel_map(
        "Median ratio by neighborhood",
        (
            f"A map of {display.count(len(parcels))} of the county's parcels, each in the color of its neighborhood's"
            f" median ratio: {numbers['within']} neighborhoods within {described}, {numbers['below']} below, and"
            f" {numbers['above']} above; north is up."
        ),
        window_around(
            _inlying([position for position, _ in parcels]),
            aspect=_WIDTH / _HEIGHT,
            margin=_MARGIN,
            min_height_m=_MIN_HEIGHT_M,
        ),
        [MapLayer(label, ink, groups[name], 1.0) for name, ink, label in layers],
        height=_HEIGHT,
        width=_WIDTH,
    )


def _place(median: float | None, level: tuple[float, float]) -> str:
    if median is None:
        return "none"
    if median < level[0]:
        return "below"
    return "above" if median > level[1] else "within"


def _inlying(positions: Sequence[Position]) -> list[Position]:
    """The corners of the positions' extent without the outermost of each axis."""
    skipped = int(_OUTLYING * len(positions))
    longitudes, latitudes = (sorted(axis)[skipped : len(axis) - skipped] for axis in zip(*positions, strict=True))
    return [(longitudes[0], latitudes[0]), (longitudes[-1], latitudes[-1])]
