"""Derive again everything that is stored, recorded and delivered, and name what differs."""
