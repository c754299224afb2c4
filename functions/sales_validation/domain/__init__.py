"""Tests of sales as evidence of market value: transfers, rules, outliers. Pure."""
