"""Uploads: files that people bring, as they are recorded and shown, and as the source of a sync run."""
