"""Sources: the systems and files from which counties' data is read, all behind the protocol `Source`."""

from functions.sync.domain.partitions import Key
from functions.sync.sources.source import (
    Ability,
    Capabilities,
    ChangedSince,
    Changes,
    Extract,
    KeyRange,
    Sample,
    Since,
    Source,
    SourceTable,
    TableSchema,
    with_overlap,
)

__all__ = [
    "Ability",
    "Capabilities",
    "ChangedSince",
    "Changes",
    "Extract",
    "Key",
    "KeyRange",
    "Sample",
    "Since",
    "Source",
    "SourceTable",
    "TableSchema",
    "with_overlap",
]
