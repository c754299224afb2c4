"""SQL of sales validation."""
