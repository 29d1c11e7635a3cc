"""Texts and addresses of entries in, the forms that feeds may carry out; it decides on characters, not elements."""

from __future__ import annotations

import re
from functools import lru_cache

from feedtool.expressions import expression
from feedtool.html import legal_text
from feedtool.html.text import may_be_illegal, utf8_of
from feedtool.models import Author, Enclosure, Entry, Feed

GENERATOR = "feedtool"
"""Without a version: an upgrade must not rewrite every feed of every site."""

_URI = expression(r"[A-Za-z][A-Za-z0-9+.-]*:[0-9A-Za-z;/?:@&=+$.\-_!~*'(),#]+")
_SCHEME = expression(r"([A-Za-z][A-Za-z0-9+.-]*):")
_WITH_HOST = expression(r"([A-Za-z][A-Za-z0-9+.-]*://)([^/?#]*)")
_IPV6 = expression(r"\[[0-9A-Fa-f:.]+\](?::\d+)?")
_STRAY_PERCENT = expression(r"%(?![0-9A-Fa-f]{2})")
_NEVER = frozenset({"javascript", "vbscript", "data", "file", "blob", "about"})
_RUNS = expression(r"(?:javascript|vbscript|data):", re.IGNORECASE)
_LANGUAGE = expression(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*")
_EMAIL = expression(r"[\w.+'%=/!#$&*?^`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+", re.ASCII)
_MEDIA_TYPE = expression(r"[\w.+!#$&^*-]+/[\w.+!#$&^*-]+", re.ASCII)
_TAG = expression(r"<[A-Za-z/!?]")
_HARMLESS = ";/?:@&=+$,-_.!~*'()#%"
_HARMLESS_ALREADY = expression(rf"(?:[0-9A-Za-z{re.escape(_HARMLESS.removesuffix('%'))}]|%[0-9A-Fa-f]{{2}})*")


def legal(text: str) -> str:
    """Return what `feedtool.html.legal_text` returns, sooner for the short texts that an entry has so many of."""
    # No control, surrogate or noncharacter is printable.
    return text if text.isprintable() else legal_text(text)


@lru_cache(maxsize=1)  # every format asks for the same article's
def legal_bytes(text: str) -> bytes:
    """Return an article's text in UTF-8, as XML and JSON may hold it."""
    # It has been promised to be legal: should what is not have come past that, it goes, and not the feed.
    raw = utf8_of(text)
    return legal_text(text).encode() if raw is None or may_be_illegal(text, raw) else raw


@lru_cache(maxsize=512)  # every format asks for the same few
def address(text: str | None) -> str | None:
    """Return `text` as an absolute URI in ASCII (RFC 3987 section 3.1), None if readers mustn't open it."""
    if not text:
        return None
    if _URI.fullmatch(text) is None:
        text = _as_uri(legal(text).strip())
    scheme, _, rest = text.partition(":")
    scheme = scheme.lower()
    if not rest or not _SCHEME.match(text) or scheme in _NEVER:
        return None
    if scheme in {"http", "https"} and (not rest.startswith("//") or rest[2:3] in {"", "/", "?", "#"}):
        return None
    return text


def web_address(text: str | None) -> str | None:
    """Return what `address` returns when that is an http or https URL, else None."""
    uri = address(text)
    return uri if uri and uri[:5].lower() in {"http:", "https"} else None


def reference(text: str) -> str:
    """Return a URI reference, which may be relative, in ASCII: RFC 3986 section 4.1."""
    return _as_uri(legal(text).strip())


def entry_id(text: str) -> str:
    """Return the id as RSS and JSON feeds take it: itself, but one that would run as an address in Atom's form, since
    there are readers that open ids; and "" for none."""
    text = legal(text).strip()
    return atom_id(text) if _RUNS.match(text) else text


def atom_id(text: str) -> str:
    """Return the id as Atom takes it: itself when it is a URI, else a URN that depends on nothing but the id.

    RFC 4287 section 4.2.6 wants an absolute IRI, and guids of other people's RSS ("12345") often are none. One that would
    run as an address becomes a URN as well.
    """
    if _URI.fullmatch(text) and not _RUNS.match(text):
        return text
    text = legal(text).strip()
    scheme = _SCHEME.match(text)
    if scheme and not _RUNS.match(text) and len(text) > scheme.end() and not re.search(r"\s", text):
        return _as_uri(text)
    import uuid  # only ids that are no URI need it

    return uuid.uuid5(uuid.NAMESPACE_URL, text).urn


def language_tag(text: str | None) -> str | None:
    """Return a tag in the form of BCP 47 (`zh_CN` becomes `zh-CN`), None when it is nothing of the kind."""
    tag = (text or "").strip().replace("_", "-")
    return tag if _LANGUAGE.fullmatch(tag) else None


def email_address(author: Author) -> str | None:
    """Return the author's address when it looks like one that mail could reach."""
    email = legal(author.email or "").strip()
    return email if _EMAIL.fullmatch(email) else None


def author_name(author: Author) -> str:
    """Return the name, else the e-mail or web address: an author needs some name (RFC 4287 section 3.2.1)."""
    return legal(author.name).strip() or email_address(author) or address(author.uri) or ""


def media_type(enclosure: Enclosure) -> str:
    """Return the enclosure's MIME type without parameters; an unknown one is any bytes (RFC 2046, 4.5.1)."""
    bare = enclosure.type.partition(";")[0].strip().lower()
    return bare if _MEDIA_TYPE.fullmatch(bare) else "application/octet-stream"


def reads_as_html(text: str) -> bool:
    """Tell whether a plain text holds what a reader that guesses would take for a tag or an entity."""
    if "<" in text and _TAG.search(text) is not None:
        return True
    if "&" not in text:
        return False
    from html import unescape  # its table of entities is large

    return unescape(text) != text


def summary_of(entry: Entry) -> str:
    """Return the summary, "" when it is missing or says no more than the title before a content that says it all."""
    summary = legal(entry.summary).strip()
    return "" if entry.content and summary == legal(entry.title).strip() else summary


def folder_of(feed: Feed) -> str:
    """Return the address that the names of the feed's own files are put behind."""
    return address(feed.url) or reference(feed.url)


def page_of(feed: Feed) -> str:
    """Return the page people see for this feed."""
    return (address(feed.home) if feed.home else None) or folder_of(feed)


@lru_cache(maxsize=4096)  # the same few categories come with every entry
def _as_uri(text: str) -> str:
    match = _WITH_HOST.match(text)
    if match is None:
        return _quoted(text)
    scheme, host = match.groups()
    if not host.isascii():
        try:
            host = host.encode("idna").decode("ascii")
        except UnicodeError:  # no name that the DNS could hold; quoted, it harms nobody
            host = _quoted(host)
    return scheme + (host if _IPV6.fullmatch(host) else _quoted(host)) + _quoted(text[match.end() :])


def _quoted(text: str) -> str:
    if _HARMLESS_ALREADY.fullmatch(text):
        return text
    from urllib.parse import quote  # loads ipaddress besides

    return quote(_STRAY_PERCENT.sub("%25", text), safe=_HARMLESS)
