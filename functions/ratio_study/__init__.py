"""Ratio studies: how level and how uniform a county's values are."""
