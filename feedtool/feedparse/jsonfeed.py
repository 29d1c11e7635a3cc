"""Read JSON Feed, versions 1.0 and 1.1 (jsonfeed.org), and tolerate values of any type in every field."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import tzinfo
from typing import Any

from feedtool.feedparse import fields
from feedtool.feedparse.entries import inherited
from feedtool.feedparse.fields import address, moment, number, raw, rows
from feedtool.feedparse.models import ContentKind, NotAFeedError, Picture, RemoteEntry, RemoteFeed
from feedtool.html import legal_text
from feedtool.models import Author, Enclosure

_MANY = 200
_VERSIONS = {"1": "json1", "1.0": "json1", "1.1": "json11"}


def read_json(text: str, *, url: str, zone: tzinfo, language: str = "") -> RemoteFeed:
    """Return the feed. Raise NotAFeedError if the text is not JSON, or is JSON but not a feed."""
    document = _load(text)
    if not isinstance(document, dict):
        raise NotAFeedError("it is a JSON list or value, not a feed", hint="check the address")
    version = _text(document, "version")
    entries = document.get("items")
    if "jsonfeed.org/version" not in version or not isinstance(entries, list):
        raise NotAFeedError(_describe_object(document), hint="check the address")
    base = url or _text(document, "home_page_url") or _text(document, "feed_url")
    language = _language(document) or language
    title = _line(document, "title")
    authors = _authors(document)
    shared = RemoteEntry(authors=inherited(authors, title), language=language, base=base)
    hubs = [_text(one, "url") for one in rows(document, "hubs")]
    return RemoteFeed(
        format=_VERSIONS.get(version.rstrip("/").rpartition("/")[2], "json"),
        title=title,
        link=address(_text(document, "home_page_url"), base),
        id=_text(document, "feed_url").strip()[:2000],
        language=language,
        image=address(_text(document, "icon") or _text(document, "favicon"), base),
        authors=authors,
        hub=next((hub_url for one in hubs if (hub_url := address(one, base))), None),
        self_url=address(_text(document, "feed_url"), base),
        entries=tuple(_entry(one, shared, zone) for one in entries if one and isinstance(one, dict)),
    )


def _load(text: str) -> Any:
    try:
        # Numbers are kept as text: an id may have 5,000 digits, and 1.10 is not 1.1.
        return json.loads(text, parse_int=_Number, parse_float=_Number, parse_constant=_none)
    except (ValueError, RecursionError) as error:
        reason = "nested too deep" if isinstance(error, RecursionError) else str(error)[:120]
        raise NotAFeedError(f"it begins like JSON but can't be read: {reason}", hint="check the address") from None


class _Number(str):
    """A number as written in the document."""

    __slots__ = ()


def _none(_: str) -> None:
    return None


def _describe_object(document: Mapping[str, Any]) -> str:
    for key in ("message", "error", "msg", "detail", "title", "errmsg"):
        if text := _line(document, key)[:120]:
            return f'it is a JSON object, not a feed; it says "{text}"'
    names = ", ".join(" ".join(legal_text(str(name)[:40]).split()) for name in list(document)[:5])
    return f"it is a JSON object, not a feed; its keys are {names}" if names else "it is an empty JSON object"


def _entry(node: dict[str, Any], shared: RemoteEntry, zone: tzinfo) -> RemoteEntry:
    base = shared.base
    link = address(_text(node, "url"), base) or address(_text(node, "external_url"), base)
    html, plain, summary = (_text(node, key) for key in ("content_html", "content_text", "summary"))
    kind: ContentKind = "html" if html.strip() else "text"
    if kind == "text" and not plain.strip():
        plain, summary = summary, ""
    return RemoteEntry(
        guid=" ".join(legal_text(raw(node, "id")[:4000]).split()),
        link=link,
        title=_line(node, "title"),
        published=moment(zone, _text(node, "date_published")),
        updated=moment(zone, _text(node, "date_modified")),
        content=html if kind == "html" else plain,
        content_kind=kind,
        summary=summary,
        authors=_authors(node) or shared.authors,
        categories=_tags(node.get("tags")),
        enclosures=_attachments(node, base),
        pictures=_pictures(node, base, has_text=bool((html or plain).strip())),
        image=address(_text(node, "image") or _text(node, "banner_image"), base),
        language=_language(node) or shared.language,
        base=link or base,
    )


def _text(node: Mapping[str, Any], key: str) -> str:
    value = node.get(key)
    return value if type(value) is str else ""


def _line(node: Mapping[str, Any], key: str) -> str:
    return fields.text_of(_text(node, key), "text/plain")


def _language(node: Mapping[str, Any]) -> str:
    value = _text(node, "language").strip().replace("_", "-")
    return value if len(value) < 36 and value.replace("-", "").isalnum() and value.isascii() else ""


def _authors(node: dict[str, Any]) -> tuple[Author, ...]:
    """Return the authors of version 1.1 and the author of version 1.0, each name once."""
    people = [*rows(node, "authors"), *(one for one in (node.get("author"),) if isinstance(one, dict))]
    by_name: dict[str, Author] = {}
    for one in people:
        url = _text(one, "url").strip()
        mail = url[7:] if url.lower().startswith("mailto:") else ""
        author = fields.person(_line(one, "name").replace("&", "&amp;").replace("<", "&lt;"), mail, "" if mail else url)
        if author is not None:
            by_name.setdefault(author.name.casefold(), author)
    return tuple(by_name.values())


def _tags(value: object) -> tuple[str, ...]:
    tags = value[:_MANY] if isinstance(value, list) else []
    lines = (fields.text_of(tag, "text/plain")[:500] for tag in tags if isinstance(tag, str))
    return tuple(dict.fromkeys(line for line in lines if line))


def _attachments(node: dict[str, Any], base: str) -> tuple[Enclosure, ...]:
    by_url: dict[str, Enclosure] = {}
    for one in rows(node, "attachments"):
        url = address(_text(one, "url"), base)
        if url is None or url in by_url:
            continue
        seconds = raw(one, "duration_in_seconds").partition(".")[0]
        by_url[url] = Enclosure(
            url=url,
            type=_text(one, "mime_type").strip().lower()[:100] or fields.type_of(url),
            length=number(raw(one, "size_in_bytes").partition(".")[0]),
            duration=number(seconds),
            title=_line(one, "title")[:500] or None,
        )
    return tuple(by_url.values())


def _pictures(node: dict[str, Any], base: str, *, has_text: bool) -> tuple[Picture, ...]:
    """Return the pictures that belong in the text of an item: those attached, with their titles, and the banner.

    The main image is the item's thumbnail; it also belongs in the text of an item without other text.
    """
    main, banner = (address(_text(node, key), base) for key in ("image", "banner_image"))
    urls = [main] if not has_text else []
    urls += [banner] if main else []
    by_url = {url: Picture(url=url) for url in urls if url}
    for one in rows(node, "attachments"):
        url = address(_text(one, "url"), base)
        kind = _text(one, "mime_type").strip().lower() or fields.type_of(_text(one, "url"))
        if url and kind.startswith("image/"):
            by_url[url] = Picture(url=url, alt=_line(one, "title")[:500])
    return tuple(by_url.values())
