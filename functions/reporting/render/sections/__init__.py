"""Sections that several types of report share."""
