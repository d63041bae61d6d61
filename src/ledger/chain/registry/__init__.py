"""The registry contract as bytes: its storage slots, its events, its calldata.

Everything here is pure and follows one fixed layout, so no ABI library is loaded
to read a chain. docs/reference/contract.md describes the same layouts in words.
"""
