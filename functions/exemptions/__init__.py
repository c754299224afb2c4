"""Exemptions: applications, decisions, renewals, and the taxable value that they make."""
