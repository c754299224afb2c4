"""The hash chain of the audit trail: pure."""
