"""Bounding boxes, as requests give them."""

Box = tuple[float, float, float, float]
"""West, south, east, north, in degrees (WGS 84)."""


def checked_box(box: Box) -> Box:
    """The box. Raises ValueError, with a message for the caller, where it is not valid."""
    west, south, east, north = box
    if not (-180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= 90 and -90 <= north <= 90):
        raise ValueError("bbox is in degrees: longitudes within 180, latitudes within 90")
    if west > east or south > north:
        raise ValueError("bbox is upside down: west,south must not exceed east,north")
    return box
