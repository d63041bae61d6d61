"""One module a kind of thing that is asked for."""
