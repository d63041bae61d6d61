"""What a holder keeps: the proof file."""
