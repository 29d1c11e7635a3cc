"""Remove unwanted pictures from sanitized HTML, and choose the picture that represents the article."""

from __future__ import annotations

import re

from feedtool.expressions import expression
from feedtool.html.hosts import POOR_THUMBNAIL_WORDS
from feedtool.html.policy import Policy, Removal
from feedtool.html.urls import is_emoji, is_placeholder, is_tracker, srcset_candidates

# The sanitizer escapes `>` and `"` inside values, so `>` always ends a tag and `"` always ends a value.
_PICTURE = expression(r"<img(?: [^>]*)?>")
# Matches from the start of the tag, value by value, because the text of a value may contain ` src=` as well.
_SOURCE = expression(r'<img(?: (?!src=)[^\s"=>]++(?:="[^"]*+")?)* src="([^"]*)"')
_SIDE = expression(r' (?:width|height)="([0-9]+)(?:px)?"')
_PIXEL = expression(r' (?:width|height)="\s*[01](?:px)?\s*"', re.IGNORECASE)
_MAX_ICON_SIDE = 48


def has_unwanted(html: str, policy: Policy) -> bool:
    """Return True if sanitized HTML shows trackers, emoji as pictures, or pictures without an address."""
    if "<img" not in html:
        return False
    for tag in _PICTURE.findall(html):
        source = _SOURCE.match(tag)
        if (
            source is None
            or (policy.drop_trackers and _PIXEL.search(tag))
            or _is_unwanted(source.group(1), ' alt="' in tag, policy)
        ):
            return True
    return False


def without_unwanted(html: str, policy: Policy) -> tuple[str, list[Removal]]:
    """Return the HTML without the pictures that `has_unwanted` reports, with emoji as text, and the removals.

    The result must be sanitized again.
    """
    from feedtool.html.tree import Tree

    tree = Tree(html)
    for node in tree.find("img"):
        attributes = node.attributes
        src, alt = attributes.get("src") or "", (attributes.get("alt") or "").strip()
        if not src and (address := _first_of(attributes.get("srcset") or "")):
            node.attrs["src"] = address
        elif not src:
            tree.discard(node, "picture without address", alt)
        elif is_emoji(src) and 0 < len(alt) <= 40:
            tree.replace(node, alt)
        elif policy.drop_trackers and (is_tracker(src) or _is_pixel(attributes)):
            tree.discard(node, "tracker", src)
    for node in tree.find("picture"):
        if node.css_first("img") is None:
            tree.discard(node, "picture without address")
    tree.prune()
    return tree.html(), tree.removals


def first_picture(html: str) -> str | None:
    """Return the address of the first picture that is suitable as a thumbnail, or None."""
    if "<img" not in html:
        return None
    for picture in _PICTURE.finditer(html):
        tag = picture.group()
        source = _SOURCE.match(tag)
        if source is None or any(int(side[:6]) <= _MAX_ICON_SIDE for side in _SIDE.findall(tag)):
            continue
        url = source.group(1).replace("&amp;", "&")
        if not is_poor_thumbnail(url):
            return url
    return None


def is_poor_thumbnail(url: str) -> bool:
    """Return True if a picture is an avatar, a QR code, an icon, an emoji, a placeholder or a tracker."""
    text = url.lower()
    return any(word in text for word in POOR_THUMBNAIL_WORDS) or is_emoji(url) or is_placeholder(url) or is_tracker(url)


def _first_of(srcset: str) -> str:
    return next((url for url, _ in srcset_candidates(srcset)), "")


def _is_pixel(attributes: dict[str, str | None]) -> bool:
    return any(
        (attributes.get(side) or "").strip().lower().removesuffix("px") in ("0", "1") for side in ("width", "height")
    )


def _is_unwanted(src: str, has_alt: bool, policy: Policy) -> bool:
    src = src.replace("&amp;", "&")
    return not src or (has_alt and is_emoji(src)) or (policy.drop_trackers and is_tracker(src))
