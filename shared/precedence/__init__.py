"""Precedence between a county's decisions and its source, field by field."""
