"""Codes of flags, for those too that read results where nothing is computed: this needs no numpy."""

from typing import Literal

FlagCode = Literal[
    "no_coordinates",
    "unknown_neighborhood",
    "outside_sales_area",
    "outside_data_seen",
    "unusual_attribute",
    "unknown_attribute",
    "few_comparables",
    "large_adjustments",
    "comparables_disagree",
    "models_disagree",
    "extrapolated_time",
    "comparables_above_value",
    "comparables_below_value",
    "comparables_outside_interval",
]
"""Codes of the cautions that go with a value."""
