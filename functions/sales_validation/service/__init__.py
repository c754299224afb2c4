"""Use cases of sales validation: the validation as a job, and a person's review of flagged sales."""
