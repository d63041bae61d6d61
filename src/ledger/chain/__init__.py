"""The Ethereum chain: reads, the registry's fixed layouts, transactions, the local chain."""
