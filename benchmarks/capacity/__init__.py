"""What an installation takes, and what a year of it costs: docs/reference/capacity.md.

    python -m benchmarks.capacity [DIGESTS CREDENTIALS]

With numbers, SQLite and PostgreSQL are filled with as many, and their sizes are measured. Then the
other figures are read from the pages that other benchmarks wrote; all of them are kept in
`figures.json`, and the page is computed from that file alone. A test compares the two.
"""
