"""How fast badges are issued and trees are built, beside floors and a peer, in one run.

    python -m benchmarks.speed [ROWS ...]

Every figure is of a process of its own, as the operating system accounts for it. A floor
does, on the same machine right after, only what no implementation can leave out. Ratios
compare; times are this machine's.
"""
