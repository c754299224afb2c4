"""One package a module: handler -> service -> repository, with its schemas beside them."""
