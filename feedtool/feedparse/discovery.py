"""Find the feeds that an HTML page links to, and guess the usual addresses of feeds."""

from __future__ import annotations

import re

from feedtool.feedparse.charset import text_of
from feedtool.html import plain_text, safe_url

FeedLink = tuple[str, str, str]

_HEAD = 500_000
_MANY = 50
_TAG = re.compile(r"<(link|a|base)\b([^<>]{1,4000})>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"([A-Za-z][\w:-]{0,40})\s*=\s*(?:\"([^\"]{0,3000})\"|'([^']{0,3000})'|([^\s\"'>]{1,3000}))")
_TYPES = {
    "application/rss+xml": "rss",
    "application/atom+xml": "atom",
    "application/feed+json": "json",
    "application/rdf+xml": "rdf",
    "application/json": "json",
    "application/xml": "xml",
    "text/xml": "xml",
}
_FEED_LIKE = re.compile(
    r"(?:^|[/._=?-])(?:rss2?|atom|feed|feeds|index)(?:\.xml|\.rdf|\.json|/?$|[?#])|\.(?:rss|atom)$", re.IGNORECASE
)
_COMMENTS = re.compile(
    r"comment|kommentar|comentario|comentário|commenti\b|reacties|коммента|评论|評論|コメント|댓글|/replies\b",
    re.IGNORECASE,
)
_GUESSES = (
    "feed",
    "rss.xml",
    "atom.xml",
    "feed.xml",
    "index.xml",
    "rss",
    "feed.json",
    "feed/",
)


def discover(body: bytes, url: str) -> tuple[FeedLink, ...]:
    """Return (address, title, type) of each feed that an HTML page names, then of guesses; each address once.

    The order is: feeds in `<link rel=alternate>`, links that look like feeds, feeds of comments, and guesses with the type
    "guess" below the page's folder and the root of its host.
    """
    text = text_of(body[:_HEAD]).text
    base, named, linked = url, list[FeedLink](), list[FeedLink]()
    for match in _TAG.finditer(text):
        tag, attributes = match.group(1).lower(), _attributes(match.group(2))
        if tag == "base":
            base = safe_url(attributes.get("href", ""), url) or base
        elif tag == "link" and _is_feed(attributes):
            named.append((attributes.get("href", ""), attributes.get("title", ""), _TYPES[_type(attributes)]))
        elif tag == "a" and _FEED_LIKE.search(attributes.get("href", "")):
            linked.append((attributes["href"], attributes.get("title", ""), "link"))
    # WordPress lists the feed of a page's comments after the site's feed, and some themes before it.
    links = sorted([*named[:_MANY], *linked[:_MANY]], key=_is_of_comments)
    every = [*links, *((guess, "", "guess") for guess in _guesses(url))]
    by_address: dict[str, FeedLink] = {}
    for address, title, kind in every:
        absolute = safe_url(address, base if kind != "guess" else url)
        if absolute and absolute != url:
            by_address.setdefault(absolute, (absolute, plain_text(title)[:200], kind))
    return tuple(by_address.values())


def _is_of_comments(link: FeedLink) -> bool:
    return any(_COMMENTS.search(text) for text in link[:2])


def _attributes(text: str) -> dict[str, str]:
    import html

    attributes: dict[str, str] = {}
    for name, *values in _ATTRIBUTE.findall(text):
        attributes.setdefault(name.lower(), html.unescape("".join(values))[:3000])
    return attributes


def _type(attributes: dict[str, str]) -> str:
    return attributes.get("type", "").partition(";")[0].strip().lower()


def _is_feed(attributes: dict[str, str]) -> bool:
    relations = attributes.get("rel", "").lower().split()
    kind = _type(attributes)
    if "alternate" not in relations and "feed" not in relations:
        return False
    # WordPress links to its own API with these types on every page.
    return (
        kind in _TYPES and "/wp-json/" not in attributes.get("href", "") and "oembed" not in attributes.get("href", "")
    )


def _guesses(url: str) -> list[str]:
    folder = url.partition("?")[0].partition("#")[0]
    folder = (
        folder if folder.endswith("/") else folder.rpartition("/")[0] + "/" if folder.count("/") > 2 else folder + "/"
    )
    root = "/".join(url.split("/", 3)[:3]) + "/"
    return [place + name for place in dict.fromkeys((folder, root)) for name in _GUESSES]
