"""SQL of the intake of uploads."""
