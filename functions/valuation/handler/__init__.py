"""Routes of valuation."""

from functions.valuation.handler import approvals, models, runs, valuations
from functions.valuation.handler.api import api

__all__ = ["api", "approvals", "handler", "models", "runs", "valuations"]

handler = api.handler
