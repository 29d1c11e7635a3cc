"""What is published and what the last build made in, how subscribers would be hurt out; see `walk`."""

from feedtool.walks.against.walk import Compared, compare

__all__ = ["Compared", "compare"]
