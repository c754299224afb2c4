"""The rules of valuation."""
