"""Add to safe HTML what keyboards and screen readers need on a page of the site."""

from __future__ import annotations

from feedtool.expressions import expression
from feedtool.models import SafeHtml

_IMAGE = expression(r"<img(?= )(?![^>]* alt=)")
_NAMELESS = expression(
    r'<a(?=[^>]* href="(?:[a-z][a-z0-9+.-]*:)?/{0,2}([^"?#]+|[^"]+))(?![^>]* title="[^"])'
    r'(?=[^>]*>(?:\s*<(?!/?a[ >])(?!img[^>]* alt="[^"])[^>]*>)*\s*</a>)'
)
_WIDE = expression(r"<(pre|table)(?=[ >])")


def add_accessibility(html: SafeHtml) -> SafeHtml:
    """Return the body with an `alt` on every picture, a name on every link, and `pre` and `table` reachable by keyboard.

    Screen readers read out the address of a picture without `alt`, so it gets an empty one. A link that holds only such
    pictures is named after its address. `pre` and `table` scroll sideways and therefore take the focus (WCAG 1.1.1,
    2.1.1, 2.4.4). The body must come from `clean`, in which `<` always opens a tag and `>` always ends one: constants and
    parts of an attribute can then be inserted after a tag's name without parsing again.
    """
    named = _NAMELESS.sub(r'<a aria-label="\1"', html)
    return SafeHtml(_WIDE.sub(r'<\1 tabindex="0"', _IMAGE.sub('<img alt=""', named)))
