"""A feature as text."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Feature:
    """A feature: its id, and its geometry and properties as JSON."""

    feature_id: str
    geometry: str
    properties: str
