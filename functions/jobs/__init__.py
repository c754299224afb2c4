"""Jobs of every kind: the one list of them, and the end of those whose executions have left them."""
