"""The command line: shared options, and one module for each command."""
