"""Market analysis: what the market did, month by month."""
