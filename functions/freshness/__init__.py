"""Freshness: the age of each county's last good sync, measured by the clock and not by syncs.

A county whose schedule has stopped runs no sync that could report it.
"""
