"""What proves the state of final batches when no chain answers."""
