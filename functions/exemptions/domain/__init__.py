"""Rules of exemptions."""
