"""Which transaction changes the status of which credential."""
