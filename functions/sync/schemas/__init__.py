"""Requests, answers and events of syncs."""
