"""feedtool: a folder of article files in, Atom, RSS and JSON feeds out; and feeds back into article files."""

__version__ = "0.1.0"
