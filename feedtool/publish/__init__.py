"""Publish a site's articles: select them, render their entries, and write feeds and pages to the output folder.

The steps are in `pipeline`, in their order.
"""

from feedtool.publish.pipeline import Choices, build, utc_now

__all__ = ["Choices", "build", "utc_now"]
