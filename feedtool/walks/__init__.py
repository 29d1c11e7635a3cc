"""The walks: what feedtool does from end to end, each a table of contents of the rooms below."""
