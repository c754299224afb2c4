"""The rules of syncs: planning, reading a partition, reconciling, applying, publishing; and what people do to runs."""
