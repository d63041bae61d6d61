"""What a person must know, until it is over or they say that they do."""
