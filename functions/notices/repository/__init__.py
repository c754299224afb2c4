"""SQL of notices and of the templates of their letters."""
