"""Use cases of exemptions."""
