"""Pictures that wait for a script go in, with addresses of their own they come out; nothing else of a body changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from feedtool.expressions import expression
from feedtool.html.urls import is_placeholder, safe_url

if TYPE_CHECKING:
    from feedtool.html.tree import Tree

_LAZY: tuple[str, ...] = (
    "data-original",
    "data-src",
    "data-actualsrc",
    "data-lazy-src",
    "data-lazysrc",
    "data-lazy",
    "data-original-src",
    "data-echo",
    "data-croporisrc",
    "data-hi-res-src",
    "data-ks-lazyload",
    "data-lazyload",
    "lazyload",
    "lazy-src",
)
_SHY: tuple[str, ...] = (
    "_src",
    "file",
    "zoomfile",
    "original",
    "src2",
    "data-url",
    "data-orig-file",
    "data-large-file",
    "data-full-src",
)
"""Names that hold the picture only when `src` holds none."""
_LAZY_SET = ("data-srcset", "data-lazy-srcset", "lazy-srcset", "data-original-set")
WAKING = frozenset([*_LAZY, *_SHY, *_LAZY_SET])
"""Every attribute that may hold what `src` or `srcset` should."""
_DUMMY_BASE = "https://example.org/"
# Behind "<img": nothing but attributes as programs write them, quoted and without a reference but `&amp;`.
_ATTRIBUTE = r"[ \n\t]++[a-z_][a-z0-9_-]*+=\"(?:[^\"<>&]++|&amp;)*\""
_PLAIN = expression(rf"((?:{_ATTRIBUTE})*)[ \n\t]*+/?>")
_PAIR = expression(r"([a-z_][a-z0-9_-]*+)=\"([^\"]*+)\"")


def load_lazy_images(tree: Tree) -> None:
    """Give pictures, sound and frames that wait for a script the address they wait with."""
    for node in tree.find("img, source, video, audio, iframe"):
        held = node.attributes
        if not WAKING.isdisjoint(held):
            for name, value in _woken(held):
                node.attrs[name] = value


def awake(html: str, pictures: int) -> str | None:
    """Return a body with its lazy pictures woken, without a parser: None where any of its `pictures` is not plain to see.

    What it returns has still to be sanitized: that it is sure of a picture is not to say that a parser sees one there.
    """
    before, *others = html.split("<img")
    if len(others) != pictures:
        return None
    made = [before]
    for other in others:
        found = _PLAIN.match(other)
        if found is None:
            return None
        pairs = _PAIR.findall(found.group(1))
        held: dict[str, str | None] = dict(pairs)
        if len(held) != len(pairs):
            return None
        if WAKING.isdisjoint(held):
            made += ("<img", other)
            continue
        for name, value in _woken({name: (value or "").replace("&amp;", "&") for name, value in held.items()}):
            held[name] = value.replace("&", "&amp;")
        made += ("<img", *(f' {name}="{value}"' for name, value in held.items()), ">", other[found.end() :])
    return "".join(made)


def _woken(held: Mapping[str, str | None]) -> Iterator[tuple[str, str]]:
    """Yield the attributes that take the place of what waits in others."""
    src = next((value for name in _LAZY if (value := held.get(name)) and _is_picture(value)), None)
    if src is None and is_placeholder(held.get("src") or ""):
        src = next((value for name in _SHY if (value := held.get(name)) and _is_picture(value)), None)
    if src is not None:
        yield "src", src
    srcset = next((value for name in _LAZY_SET if (value := held.get(name)) and value.strip()), None)
    if srcset is not None:
        yield "srcset", srcset


def _is_picture(value: str) -> bool:
    value = value.strip()
    if not value or len(value) < 4 or is_placeholder(value) or ("/" not in value and "." not in value):
        return False
    return value[0] not in "{[" and safe_url(value, _DUMMY_BASE) is not None
