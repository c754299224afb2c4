"""A county's parcels and sales as files for QGIS and ArcGIS."""
