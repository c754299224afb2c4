"""Valuation: models as records, a value now, county-wide runs, and their way to the roll."""
