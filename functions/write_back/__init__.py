"""Values back to the county's own system: a script or a file of what was decided here."""
