"""The documents of the OGC API: JSON, HTML and vector tiles."""
