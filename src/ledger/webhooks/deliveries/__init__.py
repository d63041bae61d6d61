"""One message for one webhook: tried until it is taken, or given up."""
