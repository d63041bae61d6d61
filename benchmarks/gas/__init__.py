"""What the registry's transactions cost in gas, beside its budgets and its peers.

    chain       one Anvil: deploys, sends, reads receipts
    ours        the registry, as a release deploys it
    peers       what others publish on npm, on the same chain
    paths       inclusion paths checked in a contract, ours and a peer's
    report      docs/reference/gas.md

`python -m benchmarks.gas` measures everything in one run and writes the page; with
`--check` it compares the page instead. Every input is fixed, so two runs give the same
figures. A figure above its budget ends the run with 1.
"""
