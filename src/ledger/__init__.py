"""A registry for micro-credentials: batches of digests, anchored on a chain, provable for ever."""
