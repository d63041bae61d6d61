"""Is this credential what it claims to be? Eleven numbered checks and one verdict.

docs/reference/verification.md says the same in words.
"""
