"""Files that people bring: received, inspected, and mapped to the county's tables."""
