"""Syncs: a county's legacy system read, mapped, compared and applied, with a history of every field."""
