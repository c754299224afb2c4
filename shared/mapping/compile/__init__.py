"""The compiler: mappings to Polars expressions."""
