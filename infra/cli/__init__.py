"""The command line `terrafusion`."""
