"""Layers, columns, shapes and coordinate reference systems of an export. Pure."""
