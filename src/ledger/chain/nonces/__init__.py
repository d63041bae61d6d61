"""Which nonce comes next."""
