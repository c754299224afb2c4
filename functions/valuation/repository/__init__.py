"""SQL of valuation."""
