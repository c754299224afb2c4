"""Assessment rolls: which years are open, and closing them."""
