"""The states of the sync machine, one file each, and what they share: nothing here answers a request."""
