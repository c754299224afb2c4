"""Use cases of districts: loading a layer, showing it, and lookups."""
