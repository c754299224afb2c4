"""Notices of value: letters to owners in batches, and the templates of the letters."""
