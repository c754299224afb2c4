"""The format of Mapbox vector tiles (specification 2.1), written by arrays.

A tile is a message of protocol buffers with a layer: names and values of properties, each once, and features that
number them, with a geometry of commands (move, line, close) and steps from point to point.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from shared.parquet.thrift import varint

POINT, LINE, POLYGON = 1, 2, 3
_VERSION = 2
_MOVE, _LINE, _CLOSE = 1, 2, 15
"""Commands; the number of steps is multiplied by 8 and added to the first two."""
_GROUPS = ((POINT, (0, 4)), (LINE, (1, 2, 5)), (POLYGON, (3, 6)))
"""The format's types of geometry, each with shapely's."""

Numbers = NDArray[np.int64]


def geometry_commands(shapes: NDArray[Any]) -> dict[int, tuple[int, bytes]]:
    """Type and encoded commands of each shape in a tile's units, by its index; a shape that has no extent in whole
    units, but for a point, is left out.
    """
    parts, owners = shapely.get_parts(shapes, return_index=True)
    types = shapely.get_type_id(parts)
    encoded: dict[int, tuple[int, bytes]] = {}
    for geometry_type, accepted in _GROUPS:
        chosen = np.isin(types, accepted)
        if chosen.any():
            commands = _commands(geometry_type, parts[chosen], owners[chosen])
            encoded.update((owner, (geometry_type, content)) for owner, content in commands)
    return dict(sorted(encoded.items()))


def encode_layer(name: str, extent: int, features: Iterable[tuple[int, bytes, dict[str, Any]]]) -> bytes:
    """A tile of one layer; no bytes for no features. Properties without a value are left out."""
    keys: dict[str, int] = {}
    values: dict[tuple[type, Any], int] = {}
    messages = []
    for geometry_type, commands, properties in features:
        tags: list[int] = []
        for key, value in properties.items():
            if value is not None:
                tags.append(keys.setdefault(key, len(keys)))
                tags.append(values.setdefault((type(value), value), len(values)))
        feature = _field(2, b"".join(map(_varint, tags))) + _number(3, geometry_type) + _field(4, commands)
        messages.append(_field(2, feature))
    if not messages:
        return b""
    layer = b"".join(
        (
            _number(15, _VERSION),
            _field(1, name.encode()),
            *messages,
            *(_field(3, key.encode()) for key in keys),
            *(_field(4, _value(value)) for _, value in values),
            _number(5, extent),
        )
    )
    return _field(3, layer)


def _commands(geometry_type: int, parts: NDArray[Any], owners: NDArray[np.intp]) -> list[tuple[int, bytes]]:
    """The commands of each owner's parts."""
    if geometry_type == POLYGON:
        # y runs down: an outer ring has to be clockwise to the eye, which is counter-clockwise in these numbers
        parts, members = shapely.get_rings(shapely.orient_polygons(parts), return_index=True)
        owners = owners[members]
    coordinates, sequence = shapely.get_coordinates(parts, return_index=True)
    positions = np.round(coordinates).astype(np.int64)
    positions, sequence = _without_repetitions(geometry_type, positions, sequence)
    minimum = {POINT: 1, LINE: 2, POLYGON: 3}[geometry_type]
    counts = np.bincount(sequence, minlength=len(parts))
    kept = counts[sequence] >= minimum
    positions, sequence = positions[kept], sequence[kept]
    if not len(sequence):
        return []
    if geometry_type == POINT:
        sequence = owners[sequence]  # all points of a feature are one move
        starts = np.flatnonzero(np.diff(sequence, prepend=-1))
        feature_of_sequence = sequence[starts]
    else:
        starts = np.flatnonzero(np.diff(sequence, prepend=-1))
        feature_of_sequence = owners[sequence[starts]]
    lengths = np.diff(np.append(starts, len(sequence)))
    return _encoded(geometry_type, positions, starts, lengths, feature_of_sequence)


def _without_repetitions(
    geometry_type: int, positions: Numbers, sequence: NDArray[np.intp]
) -> tuple[Numbers, NDArray[np.intp]]:
    """Positions without those that repeat the one before, and, of rings, without the last."""
    if geometry_type == POINT:
        return positions, sequence
    if geometry_type == POLYGON:
        inner = np.diff(sequence, append=-1) == 0
        positions, sequence = positions[inner], sequence[inner]
    moved = np.ones(len(sequence), dtype=np.bool_)
    moved[1:] = (np.diff(positions, axis=0) != 0).any(axis=1) | (np.diff(sequence) != 0)
    return positions[moved], sequence[moved]


def _encoded(
    geometry_type: int,
    positions: Numbers,
    starts: NDArray[np.intp],
    lengths: NDArray[np.intp],
    features: NDArray[np.intp],
) -> list[tuple[int, bytes]]:
    steps = np.diff(positions, axis=0, prepend=np.zeros((1, 2), np.int64))
    first_of_feature = np.diff(features, prepend=-1) != 0
    steps[starts[first_of_feature]] = positions[starts[first_of_feature]]  # the cursor begins at the tile's corner
    zigzag = (steps << 1) ^ (steps >> 63)
    if geometry_type == POINT:
        sizes = 1 + 2 * lengths
        head = 1 + 2 * lengths
    else:
        sizes = 2 + 2 * lengths + (1 if geometry_type == POLYGON else 0)
        head = np.full(len(lengths), 3)
    ends = np.cumsum(sizes)
    begins = ends - sizes
    integers = np.zeros(ends[-1], dtype=np.int64)
    # a step stands behind the command of its move, and from the second one on also behind that of the line
    place = np.arange(len(positions)) - np.repeat(starts, lengths)
    at = np.repeat(begins, lengths) + 1 + 2 * place
    if geometry_type != POINT:
        at = at + (place > 0)
    integers[at], integers[at + 1] = zigzag[:, 0], zigzag[:, 1]
    integers[begins] = _MOVE | ((lengths if geometry_type == POINT else 1) << 3)
    if geometry_type != POINT:
        integers[begins + head] = _LINE | ((lengths - 1) << 3)
    if geometry_type == POLYGON:
        integers[ends - 1] = _CLOSE
    encoded, byte_ends = _varint_array(integers)
    content = encoded.tobytes()
    bounds = np.append(0, byte_ends[ends - 1])
    firsts = np.flatnonzero(first_of_feature)
    lasts = np.append(firsts[1:], len(features))
    return [
        (int(features[first]), content[bounds[first] : bounds[last]]) for first, last in zip(firsts, lasts, strict=True)
    ]


def _varint_array(numbers: Numbers) -> tuple[NDArray[np.uint8], NDArray[np.intp]]:
    """Numbers in seven bits a byte, the least first, and where each ends."""
    sizes: NDArray[np.intp] = np.ones(len(numbers), dtype=np.intp)
    for bits in (7, 14, 21, 28, 35):
        sizes += numbers >> bits > 0
    ends = np.cumsum(sizes)
    begins = ends - sizes
    encoded = np.zeros(ends[-1] if len(ends) else 0, dtype=np.uint8)
    for place in range(6):
        has = sizes > place
        more = np.where(sizes[has] > place + 1, 0x80, 0)
        encoded[begins[has] + place] = ((numbers[has] >> (7 * place)) & 0x7F) | more
    return encoded, ends


@lru_cache(maxsize=1 << 14)
def _varint(number: int) -> bytes:
    return varint(number)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _field(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _value(value: Any) -> bytes:
    """A property's value: a text, a boolean, a whole number or a double."""
    match value:
        case bool():
            return _number(7, int(value))
        case int():
            return _number(6, (value << 1) ^ (value >> 63))
        case float():
            return _varint(3 << 3 | 1) + np.float64(value).tobytes()
        case _:
            return _field(1, str(value).encode())
