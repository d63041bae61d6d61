"""How much the HTTP service takes, beside routes that do the least that could be done.

    python -m benchmarks.load [REQUESTS [BULK [ROUNDS]]]

Each server is a process of its own, asked by this one over keep-alive connections of one machine.
Every answer is verified: each id is looked up and has its digest, each proof leads to its root,
each report says `valid`. Ours and the floor are asked in turns, and compared by the clock and by
the server's processor time. Writes docs/reference/load.md.
"""
