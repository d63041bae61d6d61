"""The trees of sealed batches, as they are stored."""
