"""Constants of market analyses, each with its source."""

UNCERTAIN_SHARE = 0.05
"""Standard error, of the index, from which a month is marked. A choice: its 95 % interval is then twenty percent wide,
more than markets mostly move in a year."""

WITHHELD_SHARE = 0.10
"""Standard error, of the index, from which a month is withheld. A choice: the interval is forty percent wide, and the
figure would be taken for more than it is."""

SIGNIFICANT_ERRORS = 1.96
"""Standard errors at which two annual changes differ: a two-sided test of a normal statistic at 5 %."""

MIDDLE_OF_MONTH = 14
"""Days from the first of a month to the day for which its adjustment factor holds."""
