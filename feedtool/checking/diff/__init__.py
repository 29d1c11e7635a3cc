"""Compare what is published with the output of the last build, and report what subscribers would notice."""

from feedtool.checking.diff.pipeline import Compared, compare

__all__ = ["Compared", "compare"]
