"""Rules on files and their columns: values in, values out."""
