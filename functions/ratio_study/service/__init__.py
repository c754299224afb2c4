"""Use cases of ratio studies: of a county's sales, and of pairs that a request brings along."""
