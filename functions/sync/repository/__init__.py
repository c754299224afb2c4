"""SQL of syncs: runs, partitions and quarantine; staging; the comparison with the targets; Apply."""
