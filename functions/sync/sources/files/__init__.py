"""Files in a county's part of the data bucket as sources."""

from functions.sync.sources.files.source import FilesSource

__all__ = ["FilesSource"]
