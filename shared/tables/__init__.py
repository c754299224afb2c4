"""Lists as tables: the columns of a schema, and the files of each format, written row by row."""
