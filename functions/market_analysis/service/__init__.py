"""Use cases of market analyses: requests, results and downloads."""
