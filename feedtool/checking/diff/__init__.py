"""What is published and what the last build made in, how subscribers would be hurt out; see `walk`."""

from feedtool.checking.diff.pipeline import Compared, compare

__all__ = ["Compared", "compare"]
