"""SQL databases as sources, through SQLAlchemy."""

from functions.sync.sources.sql.dialects import source_url
from functions.sync.sources.sql.source import SqlSource

__all__ = ["SqlSource", "source_url"]
