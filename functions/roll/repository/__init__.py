"""SQL of rolls."""
