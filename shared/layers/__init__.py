"""Map layers of a county: their columns, and the SQL that each is read by.

Exports and the OGC API read the same definitions. Names of owners, buyers and sellers stay out: a layer is handed on,
and an owner may be under protection. Free-form attributes stay out too, unless a loaded layer names their types.
"""

from shared.layers.catalog import STATIC_LAYERS
from shared.layers.model import CodedDomain, Column, ColumnKind, GeometryKind, Layer

__all__ = ["STATIC_LAYERS", "CodedDomain", "Column", "ColumnKind", "GeometryKind", "Layer"]
