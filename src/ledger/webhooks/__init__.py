"""Telling an issuer's programs over HTTP what has come about."""
