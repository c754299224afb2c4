"""Codes of a ratio study's verdicts: what programs read, beside the labels and sentences that people read."""

from typing import Literal

VerdictCode = Literal["median", "median_against_overall", "cod", "prd", "prb", "mki", "vei"]
"""The statistic that a verdict is about; `median_against_overall` holds a stratum's median against the whole's."""

VerdictResult = Literal["meets", "does not meet", "indeterminate", "insufficient sample"]
"""Meets its range, does not, cannot be shown either way, or rests on too few sales to be judged."""
