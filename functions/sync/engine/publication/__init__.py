"""Curated files: their ranges, their content, and those written before the run is applied."""
