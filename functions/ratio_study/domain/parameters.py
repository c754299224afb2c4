"""Constants of ratio studies, each with its source."""

TREND_MARGIN_DAYS = 365
"""Days of sales before and after the study period that estimate the time trend of assessed values.

A choice of the order of the trend itself: a season or two more steady a short study period, and sales of further away
belong to another market. Sales are bounded by the trend besides (`shared/appraisal/time_trend.py`)."""

MAX_LISTED_TRIMMED_SALES = 1000
"""Trimmed sales that the results list, those furthest from a ratio of one first. A choice of what a person reviews; at
most 10 % of the sales are trimmed, so only studies of more than 10,000 sales list fewer than all."""

MAX_RESAMPLED_PAIRS = 10_000_000
"""Pairs times bootstrap resamples, over all samples, of a study that a request waits for: measured as half a second of
one processor, which a test holds (`tests/unit/ratio_study/test_pairs.py`)."""

MAX_NAMED_FAULTS = 100
"""Faults of a list of pairs that an answer names; it counts the rest. A choice: nobody mends more by hand."""

MAX_NAMED_ATTRIBUTES = 40
"""Attributes that the refusal of an unknown stratum names. A choice: what a person reads in one message."""

RATIO_BIN_WIDTH, RATIO_BINS_FROM, RATIO_BINS_TO = 0.05, 0.4, 1.8
"""Ranges of a histogram of ratios. A choice: 0.90 and 1.10, the range of the IAAO Standard on Ratio Studies (2013) for
the level, are ends of ranges, and what trimming leaves lies between the outer ends."""
