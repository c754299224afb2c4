"""The files of a submission."""
