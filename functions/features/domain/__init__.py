"""Conformance, parameters, reference systems and tiles of the OGC API. Pure."""
