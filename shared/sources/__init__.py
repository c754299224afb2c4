"""Sources: the systems and files from which counties' data is read, all behind the protocol `Source`."""

from shared.contracts.source_rows import Key
from shared.sources.source import (
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
