"""SQL of appeals, their documents, and the roll that a decision changes."""
