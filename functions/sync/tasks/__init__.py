"""Lambda entries of the sync machine; Convert is apart, since its function has GDAL's layer in place of Polars'."""
