"""Logs, traces and settings of every Lambda function."""

from shared.observability.lambda_entry import lambda_entry

__all__ = ["lambda_entry"]
