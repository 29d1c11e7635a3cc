"""The output formats of feeds, one module each."""
