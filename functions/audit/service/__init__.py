"""The rules of the audit trail: events found, sealed and verified."""
