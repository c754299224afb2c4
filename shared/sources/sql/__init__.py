"""SQL databases as sources, through SQLAlchemy."""

from shared.sources.sql.dialects import source_url
from shared.sources.sql.source import SqlSource

__all__ = ["SqlSource", "source_url"]
