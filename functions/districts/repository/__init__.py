"""SQL of districts."""
