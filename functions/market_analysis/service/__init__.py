"""Use cases of market analyses: requests, the analysis itself, and its files."""
