"""The tree over a batch: its root, its stored form, and the proof of one leaf."""
