"""A feed's bytes in, `RemoteFeed` out: decode, mend, let the right parser read, map; fetches and cleans nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, tzinfo

from feedtool.remote.charset import text_of
from feedtool.remote.entries import feed_of
from feedtool.remote.jsonfeed import read_json
from feedtool.remote.looks import not_a_feed
from feedtool.remote.mend import mend
from feedtool.remote.nouns import NotAFeedError, RemoteFeed
from feedtool.remote.parsers import read_xml

MAX_BYTES = 64_000_000


def parse_feed(body: bytes, *, url: str, content_type: str = "", zone: tzinfo = UTC, language: str = "") -> RemoteFeed:
    """Return the feed in `body`, fetched from `url`: RSS, RDF, Atom, CDF or JSON Feed of any version.

    Dates without a zone stand in `zone`; `language` is that of a feed which names none. Raises NotAFeedError, whose text
    is for people, and nothing else. Time is about linear in the body, but feedparser is not to be trusted
    with that: run it where it can be killed.
    """
    if len(body) > MAX_BYTES:
        raise NotAFeedError(f"it is larger than {MAX_BYTES // 1_000_000} MB", hint="subscribe to a shorter feed")
    decoded = text_of(body, content_type)
    start = decoded.text[:1024].lstrip("\ufeff \t\r\n")
    if start.startswith(("{", "[")):
        feed = read_json(decoded.text.lstrip("\ufeff \t\r\n"), url=url, zone=zone, language=language)
        return _with_notes(feed, decoded.note)
    mended = mend(decoded.text)
    try:
        document = read_xml(mended.xml, mended.root)
    except ImportError:
        hint = "install it: pip install 'feedtool[ingest]'"
        raise NotAFeedError("feedparser is needed to read feeds and is not installed", hint=hint) from None
    if not document.version and mended.root.lower() == "channel":
        # feedparser reads CDF without telling its version.
        document = document._replace(version="cdf")
    if not document.version:
        raise not_a_feed(body, decoded.text, mended.root)
    if "netscape" in mended.doctype and document.version == "rss091u":
        document = document._replace(version="rss091n")
    feed = feed_of(document, mended.xml, url=url, zone=zone, language=language)
    broken = f"its XML is malformed ({document.broken}); what could be read was" if document.broken else ""
    return _with_notes(feed, decoded.note, broken)


def _with_notes(feed: RemoteFeed, *notes: str) -> RemoteFeed:
    kept = tuple(note for note in notes if note)
    return replace(feed, notes=kept) if kept else feed
