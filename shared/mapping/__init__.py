"""The mapping language: how a county's source becomes our tables, written in YAML.

`parse_mapping` reads and checks a mapping without Polars; `compiling.compile_table` needs it.
"""

from shared.contracts.source_rows import READ_FAULT, ROW_NUMBER, VALUE_FAULTS, value_fault
from shared.mapping.language.errors import MappingError, MappingProblem
from shared.mapping.language.model import CountyMapping, FieldMap, FieldType, TableMapping
from shared.mapping.language.parsing import parse_mapping
from shared.mapping.rules.judged_by import JUDGED_BY
from shared.mapping.transformations import TRANSFORMATIONS

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
