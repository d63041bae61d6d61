"""The auditor: replay a registry's history from its logs and hold others' records against it."""
