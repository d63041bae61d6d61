"""The documents: made from templates and rosters, digested, signed, checked for their shape."""
