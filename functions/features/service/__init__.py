"""Use cases of the OGC API."""
