"""CQL2 filters (OGC 21-065r2): text and JSON are read into a tree, which compiles into SQL and an exact spatial test.

    predicate = read_filter("total_value > 500000 AND S_INTERSECTS(geom, BBOX(-120, 45, -119, 46))", "cql2-text")
    compiled = compile_filter(predicate, queryables)

`compiled.condition` selects a superset of the rows, with bound values only. Where it has a spatial predicate, the rows
come with the columns `compiled.flags`, and `shared.cql2.spatial.matches` decides by shapely; otherwise it is exact.
"""

from shared.cql2.compile import CompiledFilter, compile_filter
from shared.cql2.errors import FilterError
from shared.cql2.queryables import GeometryQueryable, Queryable, QueryableKind, Queryables
from shared.cql2.reading import FilterLanguage, read_filter
from shared.cql2.tree import Predicate

__all__ = [
    "CompiledFilter",
    "FilterError",
    "FilterLanguage",
    "GeometryQueryable",
    "Predicate",
    "Queryable",
    "QueryableKind",
    "Queryables",
    "compile_filter",
    "read_filter",
]
