"""Find the pictures attached to entries, and add those to a body that it does not show yet."""

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

MAX_PICTURES = 100
_LONGEST_ALT = 2000
_LONGEST_SHARED = 500
_SHOWN = re.compile(r' (src|href|poster|srcset)="([^"]*)"')
_SIZE = re.compile(r"(?:-[0-9]{1,5}x[0-9]{1,5}|-scaled)(?=\.[A-Za-z]{3,4}\Z)")
_AVATARS = ("gravatar.com/",)


def pictures_of(node: Mapping[str, Any], base: str, image: str | None, body: str) -> tuple[Picture, ...]:
    """Return the pictures attached to an entry: media:content, then enclosures; only the largest of several renditions.

    `image` is the entry's thumbnail. In one group with a sound or a video, it is their preview and not returned.
    A description of all media becomes that of a single picture, unless `body`, the entry's text, contains it.
    """
    by_key: dict[str, tuple[int, Picture]] = {}
    media = rows(node, "media_content")
    played = {raw(one, "group") for one in media if raw(one, "group") and plays(one)}
    for one in media:
        url = address(raw(one, "url"), base)
        if url is None or not _is_picture(one) or (raw(one, "group") in played and url == image):
            continue
        _add_picture(by_key, one, Picture(url=url, alt=_alt(one)))
    for link in rows(node, "links"):
        url = address(raw(link, "href"), base) if raw(link, "rel") == "enclosure" else None
        kind = raw(link, "type").lower()
        kind = kind if "/" in kind and not kind.startswith("text/html") else type_of(raw(link, "href"))
        if url and kind.startswith("image/"):
            _add_picture(by_key, {}, Picture(url=url, alt=plain_text(raw(link, "title")[:_LONGEST_ALT])))
    pictures = tuple(picture for _, picture in by_key.values())[:MAX_PICTURES]
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
    is_untyped = not raw(media, "type") and not raw(media, "medium") and not type_of(raw(media, "url"))
    return is_untyped and not raw(media, "duration") and bool(raw(media, "width") or raw(media, "height"))


def _alt(media: Mapping[str, Any]) -> str:
    text = raw(media, "media_description") or raw(media, "media_title")
    return plain_text(text[:_LONGEST_ALT])


def _add_picture(by_key: dict[str, tuple[int, Picture]], media: Mapping[str, Any], picture: Picture) -> None:
    """Add a picture. Of several renditions of one picture, keep the default one, else the largest."""
    group, area = raw(media, "group"), area_of(media)
    if group:
        area += 10**12 * (raw(media, "isdefault").lower() == "true")
        key = f"\0{group}"
    else:
        # With a width, addresses that differ in their query are renditions of one file; without, they are different pictures.
        key = picture_key(picture.url) if raw(media, "width") else picture.url
        key = picture.url if picture.url in by_key else key
    existing = next((one for one in (key, picture.url) if one in by_key), "")
    if not existing:
        if all(picture.url != other.url for _, other in by_key.values()):
            by_key[key] = area, picture
        return
    size, other_picture = by_key[existing]
    if area > size:
        by_key[existing] = area, replace(picture, alt=picture.alt or other_picture.alt)
    elif picture.alt and not other_picture.alt:
        by_key[existing] = size, replace(other_picture, alt=picture.alt)


def missing_pictures(html: str, pictures: Iterable[Picture]) -> str:
    """Return unsanitized HTML of those pictures that a sanitized body neither shows nor links to."""
    shown_keys: set[str] = set()
    for name, value in _SHOWN.findall(html):
        value = value.replace("&amp;", "&")
        urls = [url for url, _ in srcset_candidates(value)] if name == "srcset" else [value]
        shown_keys.update(_SIZE.sub("", picture_key(url)) for url in urls)
    parts = []
    for picture in pictures:
        key = _SIZE.sub("", picture_key(picture.url))
        if key not in shown_keys and not _is_not_content(picture.url):
            source, alt = (escaped(text).replace('"', "&quot;") for text in (picture.url, picture.alt))
            parts.append(f'<p><img src="{source}" alt="{alt}"></p>' if alt else f'<p><img src="{source}"></p>')
    return "\n".join(parts)


def _is_not_content(url: str) -> bool:
    """Return True for pictures that are not content: trackers, placeholders, emoji, avatars, a publisher's own."""
    if is_tracker(url) or is_placeholder(url) or is_emoji(url) or rule_for_picture(url):
        return True
    return any(part in url.lower() for part in _AVATARS)
