"""An article's path, its date and the id it may have been given in; the id that readers know it by out."""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache
from unicodedata import normalize

from feedtool.articles.rules import Rules
from feedtool.expressions import expression

# What RFC 4151 section 2.1 (pchar) lets stand in a name.
_STANDS = r"A-Za-z0-9._~!$&'()*+,;=:@-"
_BUNDLES = ("index", "_index")
_QUOTED = expression(f"([^\n{_STANDS}]+)")


def identity(path: str, written: str, published: datetime, rules: Rules) -> str:
    """Return the id that is `written` in the article, else the one that is derived from its path and date."""
    return written_id(written) if written else derived_id(path, published, rules)


def written_id(written: str) -> str:
    """Return an id as it is published; a bare UUID becomes a URI (RFC 9562 section 4)."""
    if len(written) == 36 and re.fullmatch(r"(?i)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", written):
        return f"urn:uuid:{written.lower()}"
    return written


def derived_id(path: str, published: datetime, rules: Rules) -> str:
    """Return a tag URI (RFC 4151): an authority, a date it was held on, and a name that survives moving and retitling."""
    stem = _quoted(stem_of(path)).replace("\n", "%0A")
    return f"tag:{rules.authority},{published.date().isoformat()}:{stem}"


def quoted_stems(folder: str, names: list[str]) -> list[str]:
    """Return the stems of a folder's files as they stand in their ids; many at once take a third of the time."""
    stems = [name.rpartition(".")[0] or name for name in names]
    # These are not for a list of lines: page bundles have their folder's name, and a name may hold a line feed.
    apart = [at for at, stem in enumerate(stems) if (len(stem) < 7 and stem.lower() in _BUNDLES) or "\n" in stem]
    for at in apart:
        stems[at] = ""
    quoted = _quoted("\n".join(stems)).split("\n") if stems else []
    for at in apart:
        quoted[at] = _quoted(stem_of(folder + names[at])).replace("\n", "%0A")
    return quoted


def stem_of(path: str) -> str:
    """Return the name of an article's file without its ending; of a page bundle, that of its folder."""
    folder, _, name = path.rpartition("/")
    stem = name.rpartition(".")[0] or name
    if stem.lower() in _BUNDLES:
        # A page bundle: the folder is the article's name.
        stem = folder.rpartition("/")[2] or stem
    return stem


def _quoted(text: str) -> str:
    """Return a stem, or stems in lines, with what may not stand in a URI as it is percent-encoded."""
    if not text.isascii():
        text = normalize("NFC", text)
    # Every article asks for one: urllib's quote would do the same, and take two to ten times as long.
    pieces = _QUOTED.split(text)
    pieces[1::2] = map(_percented, pieces[1::2])
    return "".join(pieces)


@lru_cache(maxsize=4096)
def _percented(text: str) -> str:
    return "%" + text.encode("utf-8", "surrogateescape").hex("%").upper()
