"""By what a row can be rejected or warned of."""

from shared.mapping.rules.rule_models import VALIDATIONS
from shared.mapping.transformations import TRANSFORMATIONS

JUDGED_BY = frozenset(
    {"county", "duplicate_key", "range", "required", "type", "unreadable_row", "unreadable_value"}
    | VALIDATIONS.keys()
    | TRANSFORMATIONS.keys()
)
"""The names of rules: built-in ones, those that a mapping may ask for, and transformations that a value defeats."""
