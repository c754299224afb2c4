"""Requests and answers about rolls."""
