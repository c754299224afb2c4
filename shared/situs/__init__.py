"""Situs addresses: how they are written, and the index by which one is found from a text."""
