"""Geometry, bounding boxes and coordinate reference systems by arithmetic alone, without PROJ."""
