"""The database's roles."""

APPLICATION_ROLE = "terrafusion_app"
"""The role of the functions: it owns no table, and cannot bypass row-level security."""
STAGING_ROLE = "terrafusion_staging"
"""Owns the staging tables, and only loads them: the application takes it for a COPY, and reads as itself."""
