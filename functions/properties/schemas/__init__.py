"""Requests and answers about properties."""
