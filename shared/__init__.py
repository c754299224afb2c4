"""The library that modules share; the core layer of every Lambda carries it."""
