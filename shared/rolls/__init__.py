"""Assessment rolls: whether one may be written to, and its totals."""
