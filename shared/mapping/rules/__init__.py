"""Rules of rows: the platform's own, and those that a county writes."""
