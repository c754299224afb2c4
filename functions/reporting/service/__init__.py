"""Use cases of reports: requests, and building a report's file."""
