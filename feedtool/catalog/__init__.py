"""Keep what earlier runs found out: the index and its lock, its checksums, and the rules for reading articles."""
