"""Web services of open data as sources."""
