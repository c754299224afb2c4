"""Use cases of GIS exports: requests for them, and the export itself."""
