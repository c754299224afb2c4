"""The names under which a row can be rejected or warned of."""

from enum import StrEnum

from shared.mapping.rules.rule_models import VALIDATIONS
from shared.mapping.transformations import TRANSFORMATIONS


class BuiltinRule(StrEnum):
    """The rules of the platform, which hold for every county."""

    ADDRESS = "address"
    """A key can be part of an address of the API."""
    COUNTY = "county"
    """A row is one of the county whose mapping reads it."""
    DUPLICATE_KEY = "duplicate_key"
    """No two rows have the same key."""
    RANGE = "range"
    """A value lies in its range: see `builtin_rules`."""
    REQUIRED = "required"
    """A required field, and a key, have a value."""
    ROUNDED = "rounded"
    """An amount has no fractions of a cent."""
    ROW_EXISTS = "row_exists"
    """A row of an upload that may only be changed is in the table."""
    TYPE = "type"
    """A text can be read as the field's type."""
    UNREADABLE_ROW = "unreadable_row"
    """The source could read the row."""
    UNREADABLE_VALUE = "unreadable_value"
    """The source could read the value."""


RULE_NAMES = frozenset(BuiltinRule) | VALIDATIONS.keys() | TRANSFORMATIONS.keys()
"""Every rule that a reason of the quarantine can name: built-in ones, those of a county's mapping, and the
transformations that a value cannot pass.
"""
