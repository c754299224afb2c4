"""File formats of an export, one file each."""
