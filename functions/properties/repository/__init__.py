"""The SQL of properties: parcels, their improvements, and the roll of one day beside another's."""
