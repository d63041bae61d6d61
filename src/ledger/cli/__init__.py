"""The `ledger` command: one module a group of commands, nothing decided here.

A command turns words into calls of the packages below and their answers into text.
What is slow to load is imported inside the command that needs it.
"""
