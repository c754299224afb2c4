"""Open data of the web as sources."""
