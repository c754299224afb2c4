"""Lambda entries of districts: the steps of a load, and the index of addresses."""
