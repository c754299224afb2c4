"""The mapping document: its text, its models, and everything that can be wrong with it. Needs no Polars."""
