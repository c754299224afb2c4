"""Use cases of sales validation: requests, the validation itself, and a person's review of flagged sales."""
