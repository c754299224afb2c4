"""Signatures, messages and attempts of webhooks: values in, values out."""
