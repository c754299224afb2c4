"""Where a county's data is read from."""

from functions.sync.sources.opening import open_source
from functions.sync.sources.source import Extract, Key, KeyRange, Shape, Source, SourceTable

__all__ = ["Extract", "Key", "KeyRange", "Shape", "Source", "SourceTable", "open_source"]
