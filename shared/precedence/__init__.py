"""Precedence by field between a county's decisions and its source."""
