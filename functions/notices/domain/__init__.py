"""Rules of notices: values in, values out."""
