"""Make the id of an article: the one written in it, or a tag URI from its path and date."""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache
from unicodedata import normalize

from feedtool.articles.rules import Rules
from feedtool.expressions import expression

# The characters that RFC 4151 section 2.1 (pchar) allows in a name.
_ALLOWED = r"A-Za-z0-9._~!$&'()*+,;=:@-"
_BUNDLES = ("index", "_index")
_QUOTED = expression(f"([^\n{_ALLOWED}]+)")


def identity(path: str, written: str, published: datetime, rules: Rules) -> str:
    """Return the id that is `written` in the article, or one derived from its path and date if that is empty."""
    return written_id(written) if written else derived_id(path, published, rules)


def written_id(written: str) -> str:
    """Return a written id as feeds publish it; a bare UUID becomes a URI (RFC 9562 section 4)."""
    if len(written) == 36 and re.fullmatch(r"(?i)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", written):
        return f"urn:uuid:{written.lower()}"
    return written


def derived_id(path: str, published: datetime, rules: Rules) -> str:
    """Return a tag URI (RFC 4151) of the authority, the article's day and its file stem; moving and retitling do not change it."""
    stem = _quoted(stem_of(path)).replace("\n", "%0A")
    return f"tag:{rules.authority},{published.date().isoformat()}:{stem}"


def quoted_stems(folder: str, names: list[str]) -> list[str]:
    """Return the stems of a folder's files, percent-encoded for ids; one call for all takes a third of the time."""
    stems = [name.rpartition(".")[0] or name for name in names]
    # Names that cannot be joined into lines: page bundles, which have the name of their folder, and names with line feeds.
    single = [at for at, stem in enumerate(stems) if (len(stem) < 7 and stem.lower() in _BUNDLES) or "\n" in stem]
    for at in single:
        stems[at] = ""
    quoted = _quoted("\n".join(stems)).split("\n") if stems else []
    for at in single:
        quoted[at] = _quoted(stem_of(folder + names[at])).replace("\n", "%0A")
    return quoted


def stem_of(path: str) -> str:
    """Return the name of an article's file without its suffix; for a page bundle, the name of its folder."""
    folder, _, name = path.rpartition("/")
    stem = name.rpartition(".")[0] or name
    if stem.lower() in _BUNDLES:
        # In a page bundle, the folder has the article's name.
        stem = folder.rpartition("/")[2] or stem
    return stem


def _quoted(text: str) -> str:
    """Return a stem, or one stem a line, percent-encoded for a URI."""
    if not text.isascii():
        text = normalize("NFC", text)
    # This runs for every article. urllib's quote does the same but takes two to ten times as long.
    pieces = _QUOTED.split(text)
    pieces[1::2] = map(_percented, pieces[1::2])
    return "".join(pieces)


@lru_cache(maxsize=4096)
def _percented(text: str) -> str:
    return "%" + text.encode("utf-8", "surrogateescape").hex("%").upper()
