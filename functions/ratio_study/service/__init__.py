"""Use cases of ratio studies: requests, the study of a county's sales, and statistics of a list of pairs."""
