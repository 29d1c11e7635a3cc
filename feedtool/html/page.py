"""Safe HTML goes in, safe HTML fit for a page of ours comes out: what keyboards and screen readers need is added."""

from __future__ import annotations

import re
from dataclasses import replace

from feedtool.html.policy import Policy
from feedtool.html.sanitize import sanitizer
from feedtool.html.tree import Tree
from feedtool.model import SafeHtml

_BARE = re.compile(r"<img(?![^>]* alt=)|<pre|<table")


def for_page(html: SafeHtml, policy: Policy) -> SafeHtml:
    """Return the body with an empty `alt` on pictures that have none, and with `pre` and `table` that take the focus.

    A picture without `alt` is read out by its address; what scrolls sideways must be reachable without a mouse (WCAG
    1.1.1, 2.1.1). Sanitized again, since it was edited.
    """
    if not _BARE.search(html):
        return html
    tree = Tree(html)
    for picture in tree.find("img:not([alt])"):
        picture.attrs["alt"] = ""
    for wide in tree.find("pre, table"):
        wide.attrs["tabindex"] = "0"
    allowed = (*policy.attributes, ("pre", "tabindex"), ("table", "tabindex"))
    return SafeHtml(sanitizer(replace(policy, attributes=allowed))(tree.html()))
