"""Models, values and runs as the API shows them."""
