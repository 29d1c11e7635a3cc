"""An article's path, its date and the id it may have been given in; the id that readers know it by out."""

from __future__ import annotations

import re
from datetime import datetime
from unicodedata import normalize

from feedtool.article.nouns import Rules

# What RFC 4151 section 2.1 (pchar) lets stand in a name.
_STANDS = r"A-Za-z0-9._~!$&'()*+,;=:@-"
_QUOTED = re.compile(f"[^{_STANDS}]+")
_QUOTED_BUT_SPACE = re.compile(f"[^ {_STANDS}]")


def identity(path: str, written: str, published: datetime, rules: Rules) -> str:
    """Return the id that is `written` in the article, else the one that is derived from its path and date."""
    if not written:
        return derived_id(path, published, rules)
    if re.fullmatch(r"(?i)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", written):
        return f"urn:uuid:{written.lower()}"
    return written


def derived_id(path: str, published: datetime, rules: Rules) -> str:
    """Return a tag URI (RFC 4151): an authority, a date it was held on, and a name that survives moving and retitling."""
    stem = stem_of(path)
    if not stem.isascii():
        stem = normalize("NFC", stem)
    # Every article asks for one: urllib's quote would do the same, and take two to ten times as long.
    stem = _QUOTED.sub(_percented, stem) if _QUOTED_BUT_SPACE.search(stem) else stem.replace(" ", "%20")
    return f"tag:{rules.authority},{published.date().isoformat()}:{stem}"


def stem_of(path: str) -> str:
    """Return the name of an article's file without its ending; of a page bundle, that of its folder."""
    folder, _, name = path.rpartition("/")
    stem = name.rpartition(".")[0] or name
    if stem.lower() in ("index", "_index"):
        # A page bundle: the folder is the article's name.
        stem = folder.rpartition("/")[2] or stem
    return stem


def _percented(match: re.Match[str]) -> str:
    return "%" + match[0].encode("utf-8", "surrogateescape").hex("%").upper()
