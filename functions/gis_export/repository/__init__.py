"""SQL of the exports: what is selected, how much there is, all of it as a stream, and what the county says."""
