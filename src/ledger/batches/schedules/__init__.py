"""When what waits is sealed into a batch."""
