"""Check that a parser reads sanitized HTML back exactly as it was written."""

from __future__ import annotations

from itertools import filterfalse

from feedtool.expressions import expression
from feedtool.html.names import name_set

_TOKEN = expression(r"<(/?[a-z0-9-]+)")
_INLINE = (
    "abbr b bdi bdo big br cite code del dfn em i img ins kbd mark q s samp small span strike strong sub sup time tt u"
    " var wbr picture source"
)
_BLOCK = (
    "address article aside blockquote center details div figcaption figure footer header hgroup hr main nav pre section"
    " summary"
)
_HEADINGS = name_set("h1 h2 h3 h4 h5 h6")
_IGNORED = frozenset(_INLINE.split()) | frozenset(f"/{tag}" for tag in f"{_INLINE} {_BLOCK}".split())
_BLOCKS = frozenset(_BLOCK.split())


# When its filter drops an attribute, nh3 moves the last attribute to that place. If that is a forced attribute, a second
# pass puts it last again.
_FORCED_TOO_EARLY = ('referrerpolicy="no-referrer" ', 'controls="" ')

# nh3 checks the host of absolute addresses only. An address that has become absolute may be refused in the second pass.
_ODD_HOST = expression(r'://[^/"?#\s]*(?:[xX][nN]--|\[|(?<![A-Za-z-])(?:[0-9]+|0[xX][0-9A-Fa-f]*)\.?(?:[:/"?#]))')


def is_stable(html: str) -> bool:
    """Return True if a parser certainly leaves this canonical HTML unchanged; False means only that it may change it.

    Every tag is closed, so the only danger left is a tag that implies the end of another: a block in a paragraph, a link
    in a link, an item in an item. Tables, ruby and definition lists always need a second pass.
    """
    if _FORCED_TOO_EARLY[0] in html or _FORCED_TOO_EARLY[1] in html or _ODD_HOST.search(html):
        return False
    paragraph = link = heading = False
    lists: list[bool] = []
    for tag in filterfalse(_IGNORED.__contains__, _TOKEN.findall(html)):
        if tag == "p":
            if paragraph:
                return False
            paragraph = True
        elif tag == "/p":
            paragraph = False
        elif tag == "a":
            if link:
                return False
            link = True
        elif tag == "/a":
            link = False
        elif tag in _BLOCKS:
            if paragraph:
                return False
        elif tag in _HEADINGS:
            if paragraph or heading:
                return False
            heading = True
        elif tag[1:] in _HEADINGS:
            heading = False
        elif not _follow_list_tag(tag, lists, paragraph):
            return False
    return True


def _follow_list_tag(tag: str, lists: list[bool], paragraph: bool) -> bool:
    """Update `lists` by a tag of a list, and return True if the tag is valid here; return False for any other tag.

    `lists` holds for each open list whether one of its items is open.
    """
    if tag in ("ul", "ol"):
        lists.append(False)
        return not paragraph
    if not lists:
        return False
    if tag in ("/ul", "/ol"):
        lists.pop()
        return True
    if tag == "li":
        if lists[-1] or paragraph:
            return False
        lists[-1] = True
        return True
    if tag == "/li":
        lists[-1] = False
        return True
    return False
