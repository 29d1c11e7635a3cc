"""Find the pictures that are attached to entries, one of each, and put those into a body that it does not show yet."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from feedtool.feedparse.boilerplate import rule_for_picture
from feedtool.feedparse.fields import address, area_of, plays, raw, rows, shows, type_of
from feedtool.feedparse.models import Picture
from feedtool.feedparse.text_runs import picture_key
from feedtool.html import is_placeholder, is_tracker, line_of, plain_text
from feedtool.html.text import escaped
from feedtool.html.urls import is_emoji, srcset_candidates

MOST = 100
_LONGEST_ALT = 2000
_LONGEST_SHARED = 500
_SHOWN = re.compile(r' (src|href|poster|srcset)="([^"]*)"')
_SIZE = re.compile(r"(?:-[0-9]{1,5}x[0-9]{1,5}|-scaled)(?=\.[A-Za-z]{3,4}\Z)")
_AVATARS = ("gravatar.com/",)


def pictures_of(node: Mapping[str, Any], base: str, image: str | None, body: str) -> tuple[Picture, ...]:
    """Return the pictures attached to an entry: media:content, then enclosures; of several renditions the largest.

    `image` is the picture that stands for the entry: beside a sound or video in one group it is their preview, not one more.
    A description of all media is that of the only picture, unless `body`, the entry's own text, says it, too.
    """
    found: dict[str, tuple[int, Picture]] = {}
    media = rows(node, "media_content")
    played = {raw(one, "group") for one in media if raw(one, "group") and plays(one)}
    for one in media:
        url = address(raw(one, "url"), base)
        if url is None or not _is_picture(one) or (raw(one, "group") in played and url == image):
            continue
        _offer(found, one, Picture(url=url, alt=_alt(one)))
    for link in rows(node, "links"):
        url = address(raw(link, "href"), base) if raw(link, "rel") == "enclosure" else None
        kind = raw(link, "type").lower()
        kind = kind if "/" in kind and not kind.startswith("text/html") else type_of(raw(link, "href"))
        if url and kind.startswith("image/"):
            _offer(found, {}, Picture(url=url, alt=plain_text(raw(link, "title")[:_LONGEST_ALT])))
    pictures = tuple(picture for _, picture in found.values())[:MOST]
    if len(pictures) == 1 and not pictures[0].alt:
        return (replace(pictures[0], alt=_description_of_all(node, body)),)
    return pictures


def _description_of_all(node: Mapping[str, Any], body: str) -> str:
    about = raw(node, "media_about")
    is_plain = raw(node, "media_about_type") == "text/plain"
    text = line_of(about) if is_plain else plain_text(about[:_LONGEST_ALT])
    return text if len(text) <= _LONGEST_SHARED and text not in plain_text(body) else ""


def _is_picture(media: Mapping[str, Any]) -> bool:
    if shows(media):
        return True
    untold = not raw(media, "type") and not raw(media, "medium") and not type_of(raw(media, "url"))
    return untold and not raw(media, "duration") and bool(raw(media, "width") or raw(media, "height"))


def _alt(media: Mapping[str, Any]) -> str:
    text = raw(media, "media_description") or raw(media, "media_title")
    return plain_text(text[:_LONGEST_ALT])


def _offer(found: dict[str, tuple[int, Picture]], media: Mapping[str, Any], picture: Picture) -> None:
    """Take one more picture unless it is a rendition of one that is there; the default one, then the largest stays."""
    group, area = raw(media, "group"), area_of(media)
    if group:
        area += 10**12 * (raw(media, "isdefault").lower() == "true")
        key = f"\0{group}"
    else:
        # A file at several widths; without widths a query tells one picture from another.
        key = picture_key(picture.url) if raw(media, "width") else picture.url
        key = picture.url if picture.url in found else key
    there = next((one for one in (key, picture.url) if one in found), "")
    if not there:
        if all(picture.url != other.url for _, other in found.values()):
            found[key] = area, picture
        return
    size, kept = found[there]
    if area > size:
        found[there] = area, replace(picture, alt=picture.alt or kept.alt)
    elif picture.alt and not kept.alt:
        found[there] = size, replace(kept, alt=picture.alt)


def missing_pictures(html: str, pictures: Iterable[Picture]) -> str:
    """Return HTML, still to be sanitized, of the pictures that a sanitized body neither shows nor links to."""
    shown: set[str] = set()
    for name, value in _SHOWN.findall(html):
        value = value.replace("&amp;", "&")
        urls = [url for url, _ in srcset_candidates(value)] if name == "srcset" else [value]
        shown.update(_SIZE.sub("", picture_key(url)) for url in urls)
    parts = []
    for picture in pictures:
        key = _SIZE.sub("", picture_key(picture.url))
        if key not in shown and not _says_nothing(picture.url):
            source, alt = (escaped(text).replace('"', "&quot;") for text in (picture.url, picture.alt))
            parts.append(f'<p><img src="{source}" alt="{alt}"></p>' if alt else f'<p><img src="{source}"></p>')
    return "\n".join(parts)


def _says_nothing(url: str) -> bool:
    """Return True for pictures that are nobody's text: trackers, placeholders, faces of authors, a publisher's own."""
    if is_tracker(url) or is_placeholder(url) or is_emoji(url) or rule_for_picture(url):
        return True
    return any(part in url.lower() for part in _AVATARS)
