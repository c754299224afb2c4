"""Jobs of every kind, whatever module they are of."""
