"""CSV (RFC 4180) safe from formula injection: of tables in memory, and of queries that the database writes."""
