"""Files in a county's part of the data bucket, as a source."""
