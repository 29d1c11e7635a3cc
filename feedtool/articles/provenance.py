"""Read and write the stamp of an article file: the source that wrote it and short hashes of the values it wrote."""

from __future__ import annotations

import binascii
import hashlib
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from feedtool.articles.field_table import FIELDS
from feedtool.articles.yaml import Value
from feedtool.expressions import expression

STAMP = "feedtool"
"""The key of the stamp."""

_PLACES = {12: "body"} | {field.stamp: field.name for field in FIELDS if field.stamp is not None}
TRACKED = tuple(_PLACES[place] for place in range(len(_PLACES)))
"""The keys whose values a source may change later, in the order of the stamp's hashes; a new key goes to the end."""

WrittenValue = str | bool | Sequence[str] | Mapping[str, str] | Sequence[Mapping[str, str]]

_HASH = 4  # base64 characters, 24 bits: one of 16 million edits goes unnoticed
_STAMP = re.compile(r"1 ([A-Za-z0-9_-]*)(?:\.([A-Za-z0-9_-]{4}))?(?: (.*))?", re.DOTALL)
_SPACE = re.compile(r"\s+")
_DIVIDERS = re.compile("[\x1d-\x1f]")
# Noise that changes at every visit: cache busters, signatures and timestamps in addresses, counters.
_VOLATILE = re.compile(
    r"(?:[?&]|&amp;)(?:(?:_|_t|t|ts|time|timestamp|rand|random|rnd|r|v|ver|cb|cache|nocache|updated)=[\d.]+(?![\w%])"
    r"|(?:expires|signature|sign|sig|token|auth_key|x-(?:amz|oss|goog)-[a-z-]+|wx_[a-z]+)=[^&\s\"'<>]*)"
    r"|(?<=[?&=/_-])\d{9,}(?![\w.])"
    r"|(?:阅读|浏览|点击|评论|点赞|收藏|转发|Views|Comments|Reads|Likes|Shares)[^\d<>\n]{0,4}[\d,.]+[万kK]?"
    r"|(?<![\d,.])[\d,.]+[万kK]?\s?(?:次阅读|次浏览|人阅读|条评论|(?:views|comments|reads|likes|shares)\b)",
    re.IGNORECASE,
)


class Stamp(NamedTuple):
    """The source that wrote a file, and the hashes of the values it wrote; () for a file that no source wrote.

    `raw` is the hash of the text that body, thumbnail and summary were made from. While it stays the same, these differ only
    because of other entries in the feed, not because of the publisher's edits.
    """

    source: str = ""
    hashes: tuple[str, ...] = ()
    raw: str = ""


def read_stamp(text: str) -> Stamp:
    """Return the stamp in the value of the key `feedtool`; an empty one if the value is not a stamp."""
    match = _STAMP.fullmatch(text)
    if match is None:
        return Stamp()
    hashes = tuple(match[1][start : start + _HASH] for start in range(0, len(match[1]), _HASH))
    return Stamp(match[3] or "", hashes, match[2] or "")


def plain_body(body: str) -> str:
    """Return the part of a body that counts for its hash: line endings and outer white space do not."""
    return body.replace("\r\n", "\n").strip()


_STAMP_LINE = expression(r"^feedtool:[ \t]+['\"]?(1 [^\n'\"]+)", re.MULTILINE)


def is_body_as_written(matter: str, body: str) -> bool:
    """Return True if YAML front matter has the stamp of a source and the body is the one that the source wrote last."""
    match = _STAMP_LINE.search(matter)
    if match is None:
        return False
    hashes = dict(zip(TRACKED, read_stamp(match[1]).hashes, strict=False))
    return hashes.get("body") == short_hash(plain_body(body))


def stamp_text(stamp: Stamp) -> str:
    """Return a stamp as the value of its key; `read_stamp` reads it back."""
    raw = f".{stamp.raw}" if stamp.raw else ""
    return f"1 {''.join(stamp.hashes)}{raw} {stamp.source}".rstrip()


def without_noise(text: str) -> str:
    """Return a text without the noise that changes at every visit: white space, cache busters, timestamps."""
    return _SPACE.sub(" ", _VOLATILE.sub("", text)).strip()


def raw_hash(digest: str) -> str:
    """Return the stamp's hash for the digest of the text that a body was made from, "" for none."""
    return short_hash(digest) if digest else ""


def short_hash(text: str) -> str:
    """Return the hash of a canonical value."""
    return _short_hash(text) if len(text) < _CACHED_LENGTH else _hashed(text)


def _hashed(text: str) -> str:
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=3).digest()
    return binascii.b2a_base64(digest, newline=False).translate(_URL_SAFE).decode("ascii")


_CACHED_LENGTH = 64
"""Shorter texts repeat often (authors, categories, the empty text), so their hashes are cached."""
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_short_hash = lru_cache(4096)(_hashed)


def canonical(value: WrittenValue | Value) -> str:
    """Return a value as one text that does not depend on its spelling in YAML."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _SPACE.sub(" ", value).strip() if value else ""
    if isinstance(value, Mapping):
        return "\x1e".join(f"{name}\x1d{canonical(value[name])}" for name in sorted(value))
    return "\x1f".join(map(canonical, value))


def parts_without_noise(meaning: str) -> list[str]:
    """Return the parts of a canonical value, each without noise."""
    # Split first: the separators are white space too, and one item of two words is not two items.
    return [without_noise(part) for part in _DIVIDERS.split(meaning)]
