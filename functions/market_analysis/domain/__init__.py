"""The market of a county by month, from its sales. Pure."""
