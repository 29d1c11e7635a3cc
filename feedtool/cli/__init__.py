"""The command line: options, and one module a command."""
