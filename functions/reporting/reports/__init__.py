"""The types of report: a file each, with what they share. `registry.py` lists them."""
