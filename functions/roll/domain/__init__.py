"""Manifests of certified rolls: pure."""
