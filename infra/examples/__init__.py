"""Two example counties, with the legacy systems that they are synced from."""
