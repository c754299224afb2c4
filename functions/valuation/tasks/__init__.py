"""The Lambda entries of the long tasks, one file a function."""
