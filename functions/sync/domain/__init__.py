"""State of runs, partitions and publications, and the rules on it: no database, no AWS, no Polars."""
