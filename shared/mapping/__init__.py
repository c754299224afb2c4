"""The mapping language: how a county's source becomes our tables, written in YAML.

`parse_mapping` reads and checks a mapping without Polars; `compiling.compile_table` needs it.
"""

from shared.mapping.judging import JUDGED_BY
from shared.mapping.model import CountyMapping, FieldMap, FieldType, TableMapping
from shared.mapping.parsing import parse_mapping
from shared.mapping.problems import MappingError, MappingProblem
from shared.mapping.transformations import TRANSFORMATIONS
from shared.source_rows import READ_FAULT, ROW_NUMBER, VALUE_FAULTS, value_fault

__all__ = [
    "JUDGED_BY",
    "READ_FAULT",
    "ROW_NUMBER",
    "TRANSFORMATIONS",
    "VALUE_FAULTS",
    "CountyMapping",
    "FieldMap",
    "FieldType",
    "MappingError",
    "MappingProblem",
    "TableMapping",
    "parse_mapping",
    "value_fault",
]
