"""Valuation: a value now, by adjusted comparable sales."""
