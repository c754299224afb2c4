"""Use cases of access keys: letting requests in by them; making, listing and revoking them."""
