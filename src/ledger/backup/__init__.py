"""Whole installations as one file, and back: on either kind of database."""
