"""Rules of write-backs."""
