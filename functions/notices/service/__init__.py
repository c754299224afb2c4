"""Use cases of notices: batches, their letters, templates, lists."""
