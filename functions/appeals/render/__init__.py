"""Appeals in the formats of other programs."""
