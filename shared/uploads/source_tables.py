"""The names by which the mapping of an upload knows what it reads."""

UPLOADS = "uploads"
"""The folder of uploaded files in the county's part of the data bucket."""
FILE_TABLE = "upload"
"""The name by which the mapping of an upload knows its file."""
PARCELS_TABLE = "county_parcels"
"""The name by which its lookups know the county's parcels: `parcel_number`, `property_id`."""
