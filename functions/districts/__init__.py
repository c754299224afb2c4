"""Districts: map layers that a county loads, and the question which district a place or a property lies in."""
