"""A feed's bytes in, `RemoteFeed` out: decode, mend, let the right parser read, map; fetches and cleans nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, tzinfo

from feedtool.feedparse.charset import text_of
from feedtool.feedparse.diagnosis import not_a_feed
from feedtool.feedparse.entries import feed_of
from feedtool.feedparse.jsonfeed import read_json
from feedtool.feedparse.models import NotAFeedError, RemoteFeed
from feedtool.feedparse.parsers import Document, read_xml
from feedtool.feedparse.references import RepairedXml, repair_xml
from feedtool.feedparse.sections import Fault, line_at

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
    mended = repair_xml(decoded.text)
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
    return _with_notes(feed, decoded.note, _malformed(mended, document), _missing(document))


def _malformed(mended: RepairedXml, document: Document) -> str:
    """Return a note of what was wrong with the XML, "" where nothing was."""
    faults = [*mended.faults]
    for at, what in document.faults[:1]:
        faults.append(Fault(mended.first_line - 1 + line_at(mended.xml, at), what))
    if not faults:
        return ""
    first = min(faults)
    count = len(mended.faults) + len(document.faults) - 1
    more = f" and {count:,} more fault{'' if count == 1 else 's'}" if count else ""
    return f"its XML is malformed and was repaired: line {first.line}: {first.what}{more}"


def _missing(document: Document) -> str:
    """Return a note of the entries that could not be read, "" where all were."""
    count = document.missing
    noun = "entry" if count == 1 else "entries"
    return f"{count:,} {noun} of it could not be read, {len(document.entries):,} could" if count else ""


def _with_notes(feed: RemoteFeed, *notes: str) -> RemoteFeed:
    kept = tuple(note for note in notes if note)
    return replace(feed, notes=kept) if kept else feed
