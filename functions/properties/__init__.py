"""Parcels: searched, read as of any day, corrected."""
