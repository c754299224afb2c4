"""The OGC API of a county's map layers: Features (Parts 1, 2, 3 and 5) and vector tiles."""
