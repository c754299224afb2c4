"""Charts and maps: figures turned into plain shapes."""
