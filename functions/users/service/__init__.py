"""Use cases of a county's users: listing, inviting, changing and removing them."""
