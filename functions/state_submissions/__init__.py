"""A county's submission of its sales study to its state, as a package."""
