"""Parse a feed's bytes: decode and repair them, and read them as XML or JSON."""

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

    Dates without a zone are in `zone`; `language` is used for a feed without a language. Raise only NotAFeedError, with a
    message for users. Time is about linear in the body, but feedparser does not guarantee that: run this function in a
    process that can be killed.
    """
    if len(body) > MAX_BYTES:
        raise NotAFeedError(f"it is larger than {MAX_BYTES // 1_000_000} MB", hint="subscribe to a shorter feed")
    decoded = text_of(body, content_type)
    start = decoded.text[:1024].lstrip("\ufeff \t\r\n")
    if start.startswith(("{", "[")):
        feed = read_json(decoded.text.lstrip("\ufeff \t\r\n"), url=url, zone=zone, language=language)
        return _with_notes(feed, decoded.note)
    repaired = repair_xml(decoded.text)
    try:
        document = read_xml(repaired.xml, repaired.root)
    except ImportError:
        hint = "install it: pip install 'feedtool[ingest]'"
        raise NotAFeedError("feedparser is needed to read feeds and is not installed", hint=hint) from None
    if not document.version and repaired.root.lower() == "channel":
        # feedparser reads CDF, but reports no version for it.
        document = document._replace(version="cdf")
    if not document.version:
        raise not_a_feed(body, decoded.text, repaired.root)
    if "netscape" in repaired.doctype and document.version == "rss091u":
        document = document._replace(version="rss091n")
    feed = feed_of(document, repaired.xml, url=url, zone=zone, language=language)
    return _with_notes(feed, decoded.note, _malformed(repaired, document), _missing(document))


def _malformed(repaired: RepairedXml, document: Document) -> str:
    """Return a note about the faults of the XML, "" if there are none."""
    faults = [*repaired.faults]
    for at, what in document.faults[:1]:
        faults.append(Fault(repaired.first_line - 1 + line_at(repaired.xml, at), what))
    if not faults:
        return ""
    first = min(faults)
    count = len(repaired.faults) + len(document.faults) - 1
    more = f" and {count:,} more fault{'' if count == 1 else 's'}" if count else ""
    return f"its XML is malformed and was repaired: line {first.line}: {first.what}{more}"


def _missing(document: Document) -> str:
    """Return a note about entries that could not be read, "" if there are none."""
    count = document.missing
    noun = "entry" if count == 1 else "entries"
    return f"{count:,} {noun} could not be read, {len(document.entries):,} could" if count else ""


def _with_notes(feed: RemoteFeed, *notes: str) -> RemoteFeed:
    present = tuple(note for note in notes if note)
    return replace(feed, notes=present) if present else feed
