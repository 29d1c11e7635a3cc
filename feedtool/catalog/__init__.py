"""What earlier runs learned, kept so that this one need not learn it again: the index, its signature, its trust."""
