"""CSV (RFC 4180) that no spreadsheet runs: of tables in memory, and of queries that the database writes."""
