"""Contracts: forms of data that one module writes and another reads."""
