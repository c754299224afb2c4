"""The assessment roll summary, and the limits of what is printed. Pure."""
