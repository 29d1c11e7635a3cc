"""Convert the texts, addresses, ids and other values of entries to the forms that feeds allow."""

from __future__ import annotations

import re
from functools import lru_cache

from feedtool.expressions import expression
from feedtool.html import legal_text
from feedtool.html.text import may_be_illegal, utf8_of
from feedtool.models import Author, Enclosure, Entry, Feed

GENERATOR = "feedtool"
"""The name of the generator, without a version, so that an upgrade does not rewrite every feed of every site."""

_URI = expression(r"[A-Za-z][A-Za-z0-9+.-]*:[0-9A-Za-z;/?:@&=+$.\-_!~*'(),#]+")
_SCHEME = expression(r"([A-Za-z][A-Za-z0-9+.-]*):")
_WITH_HOST = expression(r"([A-Za-z][A-Za-z0-9+.-]*://)([^/?#]*)")
_IPV6 = expression(r"\[[0-9A-Fa-f:.]+\](?::\d+)?")
_STRAY_PERCENT = expression(r"%(?![0-9A-Fa-f]{2})")
_FORBIDDEN_SCHEMES = frozenset({"javascript", "vbscript", "data", "file", "blob", "about"})
_RUNS_AS_SCRIPT = expression(r"(?:javascript|vbscript|data):", re.IGNORECASE)
_LANGUAGE = expression(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*")
_EMAIL = expression(r"[\w.+'%=/!#$&*?^`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+", re.ASCII)
_MEDIA_TYPE = expression(r"[\w.+!#$&^*-]+/[\w.+!#$&^*-]+", re.ASCII)
_TAG = expression(r"<[A-Za-z/!?]")
_SAFE_CHARACTERS = ";/?:@&=+$,-_.!~*'()#%"
_ALREADY_QUOTED = expression(rf"(?:[0-9A-Za-z{re.escape(_SAFE_CHARACTERS.removesuffix('%'))}]|%[0-9A-Fa-f]{{2}})*")


def legal(text: str) -> str:
    """Return the same as `feedtool.html.legal_text`, faster for the many short texts of an entry."""
    # No control, surrogate or noncharacter is printable.
    return text if text.isprintable() else legal_text(text)


@lru_cache(maxsize=1)  # every format needs that of the same article
def legal_bytes(text: str) -> bytes:
    """Return an article's text in UTF-8 with legal characters only."""
    # The text should be legal already. If it is not, remove the illegal characters rather than break the feed.
    raw = utf8_of(text)
    return legal_text(text).encode() if raw is None or may_be_illegal(text, raw) else raw


@lru_cache(maxsize=512)  # every format needs the same few
def address(text: str | None) -> str | None:
    """Return `text` as an absolute URI in ASCII (RFC 3987 section 3.1), or None if readers must not open it."""
    if not text:
        return None
    if _URI.fullmatch(text) is None:
        text = _as_uri(legal(text).strip())
    scheme, _, rest = text.partition(":")
    scheme = scheme.lower()
    if not rest or not _SCHEME.match(text) or scheme in _FORBIDDEN_SCHEMES:
        return None
    if scheme in {"http", "https"} and (not rest.startswith("//") or rest[2:3] in {"", "/", "?", "#"}):
        return None
    return text


def web_address(text: str | None) -> str | None:
    """Return the same as `address` if that is an http or https URL, else None."""
    uri = address(text)
    return uri if uri and uri[:5].lower() in {"http:", "https"} else None


def reference(text: str) -> str:
    """Return a URI reference, which may be relative, in ASCII: RFC 3986 section 4.1."""
    return _as_uri(legal(text).strip())


def entry_id(text: str) -> str:
    """Return the id as written in RSS and JSON feeds, "" if there is none.

    The id stays as it is, unless it is an address that runs as a script. As some readers open ids, such an id is written in
    Atom's form.
    """
    text = legal(text).strip()
    return atom_id(text) if _RUNS_AS_SCRIPT.match(text) else text


def atom_id(text: str) -> str:
    """Return the id as written in Atom feeds: unchanged if it is a URI, else a URN that depends only on the id.

    RFC 4287 section 4.2.6 requires an absolute IRI, but guids from RSS feeds ("12345") often are none. An id that is an
    address that runs as a script becomes a URN as well.
    """
    if _URI.fullmatch(text) and not _RUNS_AS_SCRIPT.match(text):
        return text
    text = legal(text).strip()
    scheme = _SCHEME.match(text)
    if scheme and not _RUNS_AS_SCRIPT.match(text) and len(text) > scheme.end() and not re.search(r"\s", text):
        return _as_uri(text)
    import uuid  # imported here because only ids that are not URIs need it

    return uuid.uuid5(uuid.NAMESPACE_URL, text).urn


def language_tag(text: str | None) -> str | None:
    """Return a language tag in the form of BCP 47 (`zh_CN` becomes `zh-CN`), or None if the text is none."""
    tag = (text or "").strip().replace("_", "-")
    return tag if _LANGUAGE.fullmatch(tag) else None


def email_address(author: Author) -> str | None:
    """Return the author's e-mail address if it looks deliverable, else None."""
    email = legal(author.email or "").strip()
    return email if _EMAIL.fullmatch(email) else None


def author_name(author: Author) -> str:
    """Return the author's name, else the e-mail or web address: every author needs a name (RFC 4287 section 3.2.1)."""
    return legal(author.name).strip() or email_address(author) or address(author.uri) or ""


def media_type(enclosure: Enclosure) -> str:
    """Return the enclosure's MIME type without parameters, `application/octet-stream` if unknown (RFC 2046, 4.5.1)."""
    bare = enclosure.type.partition(";")[0].strip().lower()
    return bare if _MEDIA_TYPE.fullmatch(bare) else "application/octet-stream"


def reads_as_html(text: str) -> bool:
    """Return True if a reader that guesses would find a tag or an entity in this plain text."""
    if "<" in text and _TAG.search(text) is not None:
        return True
    if "&" not in text:
        return False
    from html import unescape  # imported here because its table of entities is large

    return unescape(text) != text


def summary_of(entry: Entry) -> str:
    """Return the summary, or "" if it is missing or only repeats the title of an entry that has content."""
    summary = legal(entry.summary).strip()
    return "" if entry.content and summary == legal(entry.title).strip() else summary


def folder_of(feed: Feed) -> str:
    """Return the address of the feed's folder, to which the names of its files are appended."""
    return address(feed.url) or reference(feed.url)


def page_of(feed: Feed) -> str:
    """Return the address of the web page that belongs to this feed."""
    return (address(feed.home) if feed.home else None) or folder_of(feed)


@lru_cache(maxsize=4096)  # the same few categories occur in every entry
def _as_uri(text: str) -> str:
    match = _WITH_HOST.match(text)
    if match is None:
        return _quoted(text)
    scheme, host = match.groups()
    if not host.isascii():
        try:
            host = host.encode("idna").decode("ascii")
        except UnicodeError:  # not a valid DNS name: quote it, which is harmless
            host = _quoted(host)
    return scheme + (host if _IPV6.fullmatch(host) else _quoted(host)) + _quoted(text[match.end() :])


def _quoted(text: str) -> str:
    if _ALREADY_QUOTED.fullmatch(text):
        return text
    from urllib.parse import quote  # imported here because it loads ipaddress as well

    return quote(_STRAY_PERCENT.sub("%25", text), safe=_SAFE_CHARACTERS)
