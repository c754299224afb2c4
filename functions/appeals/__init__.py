"""Appeals of values: filed, heard, decided, and brought to the roll."""
