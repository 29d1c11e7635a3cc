"""Safe HTML goes in, safe HTML fit for a page of ours comes out: what keyboards and screen readers need is added."""

from __future__ import annotations

from feedtool.expressions import expression
from feedtool.models import SafeHtml

_IMAGE = expression(r"<img(?= )(?![^>]* alt=)")
_NAMELESS = expression(
    r'<a(?=[^>]* href="(?:[a-z][a-z0-9+.-]*:)?/{0,2}([^"?#]+|[^"]+))(?![^>]* title="[^"])'
    r'(?=[^>]*>(?:\s*<(?!/?a[ >])(?!img[^>]* alt="[^"])[^>]*>)*\s*</a>)'
)
_WIDE = expression(r"<(pre|table)(?=[ >])")


def for_page(html: SafeHtml) -> SafeHtml:
    """Return the body with an empty `alt` on pictures that have none, links that have a name, and wide things in reach.

    A picture without `alt` is read out by its address; a link around nothing but such pictures is called by where it
    leads; `pre` and `table` scroll sideways, and take the focus (WCAG 1.1.1, 2.1.1, 2.4.4). Takes only what `clean`
    made, where `<` always opens a tag and `>` always ends one: constants, and parts of an attribute, put behind a tag's
    name there need no second parse.
    """
    named = _NAMELESS.sub(r'<a aria-label="\1"', html)
    return SafeHtml(_WIDE.sub(r'<\1 tabindex="0"', _IMAGE.sub('<img alt=""', named)))
