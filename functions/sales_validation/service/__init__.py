"""Use cases of sales validation: requests, and a person's review of flagged sales."""
