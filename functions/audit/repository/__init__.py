"""SQL of the audit trail and its seals."""
