"""Give lazy pictures, which wait for a script to load them, their real address.

Nothing else in a body changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from feedtool.expressions import expression
from feedtool.html.urls import is_placeholder, safe_url

if TYPE_CHECKING:
    from feedtool.html.tree import Tree

_SRC_ATTRIBUTES: tuple[str, ...] = (
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
_FALLBACK_ATTRIBUTES: tuple[str, ...] = (
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
"""Attributes that are used only if `src` holds a placeholder or nothing."""
_SRCSET_ATTRIBUTES = ("data-srcset", "data-lazy-srcset", "lazy-srcset", "data-original-set")
LAZY_ATTRIBUTES = frozenset([*_SRC_ATTRIBUTES, *_FALLBACK_ATTRIBUTES, *_SRCSET_ATTRIBUTES])
"""Every attribute that may hold the real value of `src` or `srcset`."""
_DUMMY_BASE = "https://example.org/"
# Matches after "<img": only attributes as programs write them, in double quotes and with no reference but `&amp;`.
_ATTRIBUTE = r"[ \n\t]++[a-z_][a-z0-9_-]*+=\"(?:[^\"<>&]++|&amp;)*\""
_PLAIN = expression(rf"((?:{_ATTRIBUTE})*)[ \n\t]*+/?>")
_PAIR = expression(r"([a-z_][a-z0-9_-]*+)=\"([^\"]*+)\"")


def load_lazy_images(tree: Tree) -> None:
    """Move the real address of lazy pictures, sound, videos and frames to `src` and `srcset`."""
    for node in tree.find("img, source, video, audio, iframe"):
        attributes = node.attributes
        if not LAZY_ATTRIBUTES.isdisjoint(attributes):
            for name, value in _loaded_attributes(attributes):
                node.attrs[name] = value


def load_lazy_images_without_parser(html: str, pictures: int) -> str | None:
    """Return the body with its lazy pictures loaded, without using a parser.

    Return None if any of its `pictures`, which is their number, is not written in the simplest form. The result must still
    be sanitized: a parser may see no picture where this function changed one.
    """
    before, *others = html.split("<img")
    if len(others) != pictures:
        return None
    pieces = [before]
    for other in others:
        match = _PLAIN.match(other)
        if match is None:
            return None
        pairs = _PAIR.findall(match.group(1))
        attributes: dict[str, str | None] = dict(pairs)
        if len(attributes) != len(pairs):
            return None
        if LAZY_ATTRIBUTES.isdisjoint(attributes):
            pieces += ("<img", other)
            continue
        for name, value in _loaded_attributes(
            {name: (value or "").replace("&amp;", "&") for name, value in attributes.items()}
        ):
            attributes[name] = value.replace("&", "&amp;")
        pieces += ("<img", *(f' {name}="{value}"' for name, value in attributes.items()), ">", other[match.end() :])
    return "".join(pieces)


def _loaded_attributes(attributes: Mapping[str, str | None]) -> Iterator[tuple[str, str]]:
    """Yield the `src` and `srcset` that other attributes hold, as (name, value)."""
    src = next((value for name in _SRC_ATTRIBUTES if (value := attributes.get(name)) and _is_picture(value)), None)
    if src is None and is_placeholder(attributes.get("src") or ""):
        src = next(
            (value for name in _FALLBACK_ATTRIBUTES if (value := attributes.get(name)) and _is_picture(value)), None
        )
    if src is not None:
        yield "src", src
    srcset = next((value for name in _SRCSET_ATTRIBUTES if (value := attributes.get(name)) and value.strip()), None)
    if srcset is not None:
        yield "srcset", srcset


def _is_picture(value: str) -> bool:
    value = value.strip()
    if not value or len(value) < 4 or is_placeholder(value) or ("/" not in value and "." not in value):
        return False
    return value[0] not in "{[" and safe_url(value, _DUMMY_BASE) is not None
