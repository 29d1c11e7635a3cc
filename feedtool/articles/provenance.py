"""The stamp in an article file in, whose the file is and short hashes of what was written out; and back into text."""

from __future__ import annotations

import binascii
import hashlib
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from feedtool.articles.yaml import Value
from feedtool.expressions import expression

STAMP = "feedtool"
"""The key of the stamp."""

TRACKED = (
    "title", "categories", "author", "date", "thumbnail", "link", "updated", "language", "summary", "enclosures",
    "tags", "rights", "body",
)  # fmt: skip
"""What a source may change later, in the order of the stamp's hashes; a new one goes to the end."""

Written = str | bool | Sequence[str] | Mapping[str, str] | Sequence[Mapping[str, str]]

_HASH = 4  # Characters of base64: 24 bits, which a person's edit misses once in 16 million.
_STAMP = re.compile(r"1 ([A-Za-z0-9_-]*)(?:\.([A-Za-z0-9_-]{4}))?(?: (.*))?", re.DOTALL)
_SPACE = re.compile(r"\s+")
_DIVIDERS = re.compile("[\x1d-\x1f]")
# What changes at every visit and says nothing: cache busters, signatures, time stamps in addresses, counters.
_VOLATILE = re.compile(
    r"(?:[?&]|&amp;)(?:(?:_|_t|t|ts|time|timestamp|rand|random|rnd|r|v|ver|cb|cache|nocache|updated)=[\d.]+(?![\w%])"
    r"|(?:expires|signature|sign|sig|token|auth_key|x-(?:amz|oss|goog)-[a-z-]+|wx_[a-z]+)=[^&\s\"'<>]*)"
    r"|(?<=[?&=/_-])\d{9,}(?![\w.])"
    r"|(?:阅读|浏览|点击|评论|点赞|收藏|转发|Views|Comments|Reads|Likes|Shares)[^\d<>\n]{0,4}[\d,.]+[万kK]?"
    r"|(?<![\d,.])[\d,.]+[万kK]?\s?(?:次阅读|次浏览|人阅读|条评论|(?:views|comments|reads|likes|shares)\b)",
    re.IGNORECASE,
)


class Stamp(NamedTuple):
    """The source that wrote a file, and the hashes of what it wrote; () of a file that no source wrote.

    `raw` is the hash of what body, thumbnail and summary were made from: while it stays, they differ for what else was in
    the feed and not for what the publisher did.
    """

    source: str = ""
    hashes: tuple[str, ...] = ()
    raw: str = ""


def read_stamp(text: str) -> Stamp:
    """Return the stamp in the value of its key; an empty one where it is none."""
    found = _STAMP.fullmatch(text)
    if found is None:
        return Stamp()
    hashes = tuple(found[1][start : start + _HASH] for start in range(0, len(found[1]), _HASH))
    return Stamp(found[3] or "", hashes, found[2] or "")


def plain_body(body: str) -> str:
    """Return a body's meaning, which its hash is made of."""
    return body.replace("\r\n", "\n").strip()


_STAMP_LINE = expression(r"^feedtool:[ \t]+['\"]?(1 [^\n'\"]+)", re.MULTILINE)


def is_body_as_written(matter: str, body: str) -> bool:
    """Return True if a front matter (YAML) holds the stamp of a source, and the body is what that source wrote last."""
    found = _STAMP_LINE.search(matter)
    if found is None:
        return False
    hashes = dict(zip(TRACKED, read_stamp(found[1]).hashes, strict=False))
    return hashes.get("body") == short_hash(plain_body(body))


def stamp_text(stamp: Stamp) -> str:
    """Return a stamp as the value of its key; `read_stamp` reads it back."""
    raw = f".{stamp.raw}" if stamp.raw else ""
    return f"1 {''.join(stamp.hashes)}{raw} {stamp.source}".rstrip()


def quiet(text: str) -> str:
    """Return a text without what changes at every visit and means nothing: white space, cache busters, time stamps."""
    return _SPACE.sub(" ", _VOLATILE.sub("", text)).strip()


def raw_hash(digest: str) -> str:
    """Return what a stamp keeps of the digest of what a body was made from, "" of none."""
    return short_hash(digest) if digest else ""


def short_hash(text: str) -> str:
    """Return the hash of a value's meaning."""
    return _short_hash(text) if len(text) < _OFTEN else _hashed(text)


def _hashed(text: str) -> str:
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=3).digest()
    return binascii.b2a_base64(digest, newline=False).translate(_FOR_URLS).decode("ascii")


_OFTEN = 64
"""Texts that are shorter are often met again: names of authors, categories, nothing at all."""
_FOR_URLS = bytes.maketrans(b"+/", b"-_")
_short_hash = lru_cache(4096)(_hashed)


def canonical(value: Written | Value) -> str:
    """Return a value's meaning as one text, the same however YAML spells it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _SPACE.sub(" ", value).strip() if value else ""
    if isinstance(value, Mapping):
        return "\x1e".join(f"{name}\x1d{canonical(value[name])}" for name in sorted(value))
    return "\x1f".join(map(canonical, value))


def quiet_parts(meaning: str) -> list[str]:
    """Return the parts of a value's meaning, each without its noise."""
    # What divides the items of a list is white space, too: one item of two words is not two items.
    return [quiet(part) for part in _DIVIDERS.split(meaning)]
