"""Bounding boxes and positions, as requests give them."""

Box = tuple[float, float, float, float]
"""West, south, east, north, in degrees (WGS 84)."""


def checked_box(box: Box) -> Box:
    """The box. Raises ValueError, with a message for the caller, where it is not valid."""
    west, _, east, _ = checked_wrapping_box(box)
    if west > east:
        raise ValueError("bbox is upside down: west,south must not exceed east,north")
    return box


def checked_wrapping_box(box: Box) -> Box:
    """The box, whose west is greater than its east where it crosses the 180th meridian. Raises ValueError."""
    west, south, east, north = box
    if not (-180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= 90 and -90 <= north <= 90):
        raise ValueError(
            "bbox is west, south, east, north in degrees: longitudes within 180 before latitudes within 90"
        )
    if south > north:
        raise ValueError("bbox is upside down: west,south must not exceed east,north")
    return box


def checked_position(position: tuple[float, float]) -> tuple[float, float]:
    """A position, longitude first. Raises ValueError."""
    longitude, latitude = position
    if not (-180 <= longitude <= 180 and -90 <= latitude <= 90):
        raise ValueError("a position is longitude and latitude in degrees, in this order")
    return position
