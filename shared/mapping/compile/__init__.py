"""Mappings compiled to Polars expressions."""
