"""Sanitized HTML goes in; says whether a parser would read it back as it was written; changes nothing."""

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


# nh3 fills the place of an attribute its filter drops with the last one; a second parse puts the forced ones last again.
_EARLY = ('referrerpolicy="no-referrer" ', 'controls="" ')

# nh3 looks only at addresses that are absolute: of one that became so, it may refuse the host the second time.
_ODD_HOST = expression(r'://[^/"?#\s]*(?:[xX][nN]--|\[|(?<![A-Za-z-])(?:[0-9]+|0[xX][0-9A-Fa-f]*)\.?(?:[:/"?#]))')


def is_stable(html: str) -> bool:
    """Tell whether this canonical HTML surely survives a parser unchanged; False means only that it may not.

    Every tag in it is closed, so what is left to fear is a tag that implies the end of another: a block in a
    paragraph, a link in a link, an item in an item. Tables, ruby and definition lists are left to a second parse.
    """
    if _EARLY[0] in html or _EARLY[1] in html or _ODD_HOST.search(html):
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
        elif not _list_goes_on(tag, lists, paragraph):
            return False
    return True


def _list_goes_on(tag: str, lists: list[bool], paragraph: bool) -> bool:
    """Follow a list tag, `lists` telling of each open list whether an item of it is open; False for any other tag."""
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
