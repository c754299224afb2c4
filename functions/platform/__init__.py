"""What is true of the platform as a whole: its health and its description."""
