"""Batches: sealing digests under one root, anchoring it, changing their status."""
