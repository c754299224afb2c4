"""Sales validation: which sales are unfit as evidence of market value, and what a person decides of them."""
