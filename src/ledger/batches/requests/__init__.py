"""Status changes that were asked for and are carried out by whoever holds the key."""
