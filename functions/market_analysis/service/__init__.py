"""Use cases of market analyses: the analysis as a job, and its files."""
