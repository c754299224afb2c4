"""Rules of submissions to states."""
