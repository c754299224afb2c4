"""Rules of districts: shapes, attributes and addresses, without a database."""
