"""The mapping language: a county's YAML document that maps its source to our tables.

`parse_mapping` reads and checks a mapping without Polars; `compile.tables.compile_table` needs it.
"""

from shared.contracts.source_rows import READ_FAULT, ROW_NUMBER, VALUE_FAULTS, value_fault
from shared.mapping.language.errors import Diagnostic, MappingError
from shared.mapping.language.model import CountyMapping, FieldMap, FieldType, TableMapping
from shared.mapping.language.parsing import parse_mapping
from shared.mapping.rules.rule_names import RULE_NAMES
from shared.mapping.transformations import TRANSFORMATIONS

__all__ = [
    "READ_FAULT",
    "ROW_NUMBER",
    "RULE_NAMES",
    "TRANSFORMATIONS",
    "VALUE_FAULTS",
    "CountyMapping",
    "Diagnostic",
    "FieldMap",
    "FieldType",
    "MappingError",
    "TableMapping",
    "parse_mapping",
    "value_fault",
]
