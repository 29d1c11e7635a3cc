"""Properties of remote data: each function raises an error if its input breaks one.

They cover bodies, feeds, their charsets, pages, lists of feeds and addresses. A hash of the bytes makes the choices, as
in `laws_of_files`.
"""

from __future__ import annotations

import ipaddress
import pickle
import re
import socket
from urllib.parse import urlsplit

from lxml import etree
from lxml import html as libxml
from selectolax.lexbor import LexborHTMLParser

from feedtool.config import Html, SourceSettings
from feedtool.errors import FeedtoolError
from feedtool.feedparse import Job, NotAFeedError, discover, parse_and_clean
from feedtool.feedparse.charset import text_of
from feedtool.feedparse.opml import read_opml
from feedtool.feedparse.references import repair_xml
from feedtool.html import Policy, clean, legal_text, plain_text, safe_url, summarize
from feedtool.html.policy import FORBIDDEN_ATTRIBUTES, FORBIDDEN_TAGS, TAGS
from feedtool.http.addresses import why_not_public
from feedtool.http.models import RefusalError
from feedtool.http.urls import follow, read_address, read_host
from feedtool.models import BodyKind
from tests.fuzz.laws_of_files import choice, worded

POLICIES = (
    Policy(base_url="https://example.com/a/", iframe_hosts=("a.org",), remove=(".a", "#q")),
    Policy(),
    Policy(base_url="http://example.com/", proxies=("https://p.example/?",), drop_trackers=False),
)
ADDRESSES = {"href", "src", "poster", "cite"}
SCHEMES = {"http", "https", "mailto", "tel"}
FORCED = {"referrerpolicy", "controls", "class"}
NEVER = (FORBIDDEN_ATTRIBUTES - FORCED) | {"xlink:href", "style", "srcdoc"}
TYPES = ("", "text/xml; charset=gbk", "text/html; charset=iso-8859-1", "application/json", "application/rss+xml")
# These are the labels as browsers understand them: where a smaller set has another letter, the larger set counts.
CODECS = ("utf-8", "utf-16", "gb18030", "big5hkscs", "cp1252", "cp932", "cp949", "iso8859_2", "koi8_r", "cp1251")
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
SOURCE = SourceSettings(name="s", url="https://example.org/feed")


def inert(markup: str) -> None:
    """Raise AssertionError unless two parsers that are not part of the cleaning find only allowed markup."""
    for node in libxml.fragment_fromstring(markup, create_parent="div").iterdescendants():
        assert isinstance(node.tag, str), f"a comment remains: {markup!r}"
        _allowed(node.tag, dict(node.attrib), markup)
    for node in LexborHTMLParser(f"<!DOCTYPE html><body>{markup}").css("body *"):
        _allowed(str(node.tag), dict(node.attributes), markup)


def _allowed(tag: str, attributes: dict[str, str | None], markup: str) -> None:
    assert tag in TAGS, (tag, markup)
    assert tag not in FORBIDDEN_TAGS, (tag, markup)
    for name, value in attributes.items():
        assert not name.startswith("on"), (name, markup)
        assert name not in NEVER, (name, markup)
        for address in _addresses(name, value or ""):
            scheme = re.match(r"[\x00-\x20]*([^/?#:]*):", address)
            assert scheme is None or scheme[1].lower() in SCHEMES, (address, markup)
            assert urlsplit(address).scheme in SCHEMES, (address, markup)


def _addresses(name: str, value: str) -> list[str]:
    if name == "srcset":
        return [candidate.split()[0] for candidate in value.split(", ") if candidate.split()]
    return [value] if name in ADDRESSES else []


def html(data: bytes) -> None:
    """Check that a cleaned body is inert and legal in XML, and that cleaning it again changes nothing."""
    _cleaned(data, "html")


def markdown(data: bytes) -> None:
    """Check the same of Markdown and of plain text."""
    _cleaned(data, "text" if len(data) % 8 == 0 else "markdown")


def _cleaned(data: bytes, kind: BodyKind) -> None:
    body = data.decode("utf-8", "replace")
    policy = choice(data, POLICIES)
    once = clean(body, kind=kind, policy=policy)
    inert(once.html)
    assert legal_text(once.html) == once.html
    assert legal_text(once.text) == once.text
    etree.Element("content").text = once.html
    twice = clean(once.html, kind="html", policy=policy)
    assert (twice.html, twice.text, twice.image) == (once.html, once.text, once.image)
    assert once.image is None or urlsplit(once.image).scheme in ("http", "https")
    if len(data) % 4 == 0:
        assert clean(body, kind=kind, policy=policy, explain=True).html == once.html
    plain_text(body)
    summarize(once.text)


def feed(data: bytes) -> None:
    """Check that any bytes are a feed with clean entries, the same each time, or are refused with a message."""
    job = Job(
        key="k", body=data, url="https://example.org/feed", source=SOURCE, html=Html(), content_type=choice(data, TYPES)
    )
    parsed = parse_and_clean(job)
    assert pickle.loads(pickle.dumps(parsed)) == parsed
    assert (parsed.feed is None) == bool(parsed.error)
    for entry in parsed.entries:
        inert(entry.html)
        policy = Policy(base_url=entry.base, iframe_hosts=Html().iframe_hosts)
        assert clean(entry.html, kind="html", policy=policy).html == entry.html
        for url in (entry.link, entry.thumbnail, *(one.url for one in entry.enclosures)):
            assert url is None or urlsplit(url).scheme in ("http", "https"), url
        texts = (entry.title, entry.guid, entry.html, *entry.categories, *(author.name for author in entry.authors))
        assert not any(map(_ILLEGAL.search, texts))
        for moment in (entry.published, entry.updated):
            assert moment is None or (moment.utcoffset() is not None and 998 < moment.year < 2201)


def charset(data: bytes) -> None:
    """Check that any bytes become text that a parser accepts, and that a correct declaration is used."""
    decoded = text_of(data, choice(data, TYPES))
    assert not _ILLEGAL.search(legal_text(decoded.text))
    for text in (decoded.text, data.decode("utf-8", "replace")):
        try:
            repaired = repair_xml(text)
        except NotAFeedError as refused:
            worded(refused.what)
        else:
            assert not _ILLEGAL.search(repaired.xml)
            assert not re.match(r"<\?xml\s[^<>?]*\??>", repaired.xml)
    _believed(data)


def _believed(data: bytes) -> None:
    codec = choice(data, CODECS, 1)
    text = "".join(letter for letter in data.decode("utf-8", "ignore") if letter.isprintable() and letter not in "<>&?")
    try:
        body = f'<?xml version="1.0" encoding="{codec.replace("_", "-")}"?>\n<rss>{text}</rss>'.encode(codec)
        if body.decode(codec) != body.decode(codec).encode(codec).decode(codec):
            return
    except UnicodeError:
        return
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        assert f"<rss>{text}</rss>" in text_of(body).text, codec


def page(data: bytes) -> None:
    """Check that the feeds discovered in a page have absolute HTTP addresses, each only once."""
    url = choice(data, ("https://example.org/", "http://example.org/a/b?c", "https://example.org"))
    discovered = discover(data, url)
    assert len({address for address, _, _ in discovered}) == len(discovered)
    for address, title, kind in discovered:
        assert urlsplit(address).scheme in ("http", "https")
        assert legal_text(title) == title
        assert kind


def opml(data: bytes) -> None:
    """Check that any bytes are a list of subscriptions with distinct addresses, or are refused with a message."""
    try:
        subscriptions = read_opml(data)
    except FeedtoolError as refused:
        worded(refused.what)
        return
    assert len({one.url for one in subscriptions}) == len(subscriptions)
    for one in subscriptions:
        assert one.url
        assert one.title
        assert len(one.folders) == len(set(one.folders))


def address(data: bytes) -> None:
    """Check that an allowed address has one normal form, and that every spelling of an IP address is checked as one."""
    text = data.decode("utf-8", "surrogateescape")
    base = choice(data, ("", "https://example.com/a/b?c", "http://u:p@EXAMPLE.org:80/x", "ftp://x/y"))
    safe = safe_url(text, base)
    if safe is not None:
        assert urlsplit(safe).scheme in ("http", "https")
        assert safe.isascii()
        assert not re.search(r"[\s\"'<>\\^`{|}]", safe.replace("'", ""))
        assert safe_url(safe) == safe
    for line in text.split("\n"):
        for read in (read_address, _followed):
            _checked_address(line, read)
        why_not_public(line)


def _followed(text: str):
    return follow(read_address("https://example.com/a/b?c"), text)


def _checked_address(text: str, read) -> None:
    try:
        parsed = read(text)
    except RefusalError as refused:
        worded(refused.message)
        return
    again = read_address(parsed.url)
    assert (again.url, again.origin, again.host, again.port) == (parsed.url, parsed.origin, parsed.host, parsed.port)
    assert read_host(parsed.host) == parsed.host
    assert 0 < parsed.port < 65536
    assert "@" not in parsed.origin
    try:
        literal = str(ipaddress.ip_address(parsed.host))
    except ValueError:
        literal = ""
    assert literal in ("", parsed.host)
    try:
        resolved = socket.inet_ntoa(socket.inet_aton(parsed.host))
    except OSError:
        return
    assert resolved == parsed.host, (text, parsed.host, resolved)
