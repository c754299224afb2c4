"""Use cases of appeals."""
