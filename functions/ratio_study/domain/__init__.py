"""Ratio studies of a county's sales: values, strata, statistics and their verdicts. Pure."""
