"""The long half of the tests: load, scale, attacks and faults that take minutes. `python -m tests.long` runs it."""
