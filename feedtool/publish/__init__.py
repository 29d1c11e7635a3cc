"""Articles in, the output folder out: see `walk` for the order of the steps."""

from feedtool.publish.pipeline import Choices, build, utc_now

__all__ = ["Choices", "build", "utc_now"]
