"""Constants of sales validation, each with its source. The county's own thresholds are `SalesValidationSettings`."""

MIN_SALES_FOR_TYPICAL = 5
"""Sales of a class that have a typical price or ratio. The sample below which the IAAO Standard on Ratio Studies (2013)
calls statistics exceptionally unreliable; here only factors of IMPLAUSIBLE_FACTOR and LAND_SALE_SHARE rest on it."""

IMPLAUSIBLE_FACTOR = 20.0
"""Times the typical price of its class, or that part of it, at which a price is implausible. A choice of the order of
magnitude: it is to find prices with digits lost or added and prices of other things, not cheap or dear homes, which the
comparison with a model finds."""

LAND_SALE_SHARE = 0.6
"""Of the improved value, below which a sale in the year of construction is taken for one of the land. A choice: land is
20 to 40 % of a new home's value, and ordinary homes hardly sell for less than this."""

MIN_LISTED_WORD_LENGTH = 4
"""Letters of a county's deed or sale type from which it is looked for as a word of a longer one. A choice: shorter
ones are codes (`QC`), which stand alone or mean something else."""

MIN_REPEATED_DIGITS = 4
"""Times from which one digit, written again and again (0000, 999999), is a placeholder and no deed's number. A choice:
three of one digit are a number that recorders do reach."""

MIN_RESIDUAL_SCALE = 0.05
"""Least robust deviation of log(price / value), in log points. A choice: where nearly all prices agree with the model
to a few percent, a sale six percent away is no outlier."""

MAD_TO_DEVIATION = 1.4826
"""A normal distribution's standard deviation in median absolute deviations: 1 over its third quartile, 0.6745 (Huber,
Robust Statistics, section 5.1)."""

DAYS_A_MONTH = 30.4375
"""Of the Julian year of 365.25 days."""
