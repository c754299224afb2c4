"""Webhooks: a county's own programs told of the ends of its jobs."""
