"""Signing in and out, and what goes into an access token."""
