"""The platform as a whole: its health and its description."""
