"""SQL of reports, a file a subject."""
