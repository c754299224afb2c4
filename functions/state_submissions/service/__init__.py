"""Use cases of submissions to states."""
