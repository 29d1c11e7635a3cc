"""Split XML text into markup and the sections without markup (CDATA, comments); end the sections that were left open.

An open section hides everything up to the end of the next section of its kind: whole entries. So a section that reaches
over the end of its entry is taken to have no end of its own.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_SECTION = re.compile(r"<!\[CDATA\[(?:[^\]]++|\](?!\]>))*(?:\]\]>)?|<!--(?:[^-]++|-(?!->))*(?:-->)?")
_CDATA = "<![CDATA["
_COMMENT = "<!--"
_CLOSE = {_CDATA: "]]>", _COMMENT: "-->"}
_OPENING = re.compile(r"<!\[CDATA\[|<!--")
_EDGE = re.compile(r"<(/?)(?:[A-Za-z_][\w.-]*:)?(item|entry|channel|feed|rss|rdf)(?=[\s/>])", re.IGNORECASE)
_NAME = re.compile(r"<([A-Za-z_][\w.:-]*)[^<>]*>")
_ENTRIES = ("item", "entry")
_CONTAINERS = frozenset(
    {
        *_ENTRIES,
        "channel",
        "feed",
        "rss",
        "rdf",
        "author",
        "contributor",
        "source",
        "image",
        "textinput",
        "group",
        "owner",
    }
)
"""Elements that hold elements and no text."""
_MOST_READINGS = 10
"""How often the text of sections in sections may be looked at, in lengths of the whole text."""
_MOST_LINES = 20


class Fault(NamedTuple):
    """Something that is wrong with the XML: the line (from 1) and what, in words for people."""

    line: int
    what: str


def line_at(text: str, at: int) -> int:
    """Return the line of a place in a text."""
    return text.count("\n", 0, at) + 1


def pieces_of(text: str) -> list[tuple[str, bool]]:
    """Return the text in pieces, each with whether it is markup: CDATA sections and comments are not."""
    pieces: list[tuple[str, bool]] = []
    at = 0
    for found in _SECTION.finditer(text):
        pieces.append((text[at : found.start()], True))
        pieces.append((found.group(), False))
        at = found.end()
    pieces.append((text[at:], True))
    return pieces


def end_sections(text: str) -> tuple[str, list[Fault]]:
    """Return the text with an end for each CDATA section and comment, and what was wrong.

    A CDATA section is ended before the end tag of its element. Where that element is not known, and of a comment, whose
    text nobody should see, only the mark that opens it can be told from the text behind it: that mark is dropped.
    """
    faults: list[Fault] = []
    if _CDATA not in text and _COMMENT not in text:
        return text, faults
    parts: list[str] = []
    kept = at = 0
    ends = _Ends(text)
    while found := _OPENING.search(text, at):
        start, mark = found.start(), found.group()
        end = ends.of(found)
        if not ends.is_open(found, end):
            at = end
            continue
        line = line_at(text, start) if len(faults) < _MOST_LINES else faults[0].line
        faults.append(Fault(line, f"a {'CDATA section' if mark == _CDATA else 'comment'} has no end"))
        parts.append(text[kept:start])
        kept = at = found.end()
        element = _element(text, start) if mark == _CDATA else None
        if element is not None and (not element.has_text or "<" in text[at : element.end]):
            parts += [_CDATA, text[at : element.end], "]]>"]
            kept = at = element.end
    return ("".join([*parts, text[kept:]]) if parts else text), faults


class _Ends:
    """Finds where sections end, in time that is linear in the text however many are open."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._none: set[str] = set()
        self._edge = -1
        self._budget = _MOST_READINGS * len(text)

    def of(self, found: re.Match[str]) -> int:
        """Return where the section ends by the rules of XML, the end of the text where nothing ends it."""
        mark = found.group()
        close = _CLOSE[mark]
        end = self._text.find(close, found.end()) if mark not in self._none else -1
        if end < 0:
            self._none.add(mark)
            return len(self._text)
        return end + len(close)

    def is_open(self, found: re.Match[str], end: int) -> bool:
        """Return True if the section has no end of its own; `end` is where it ends by the rules of XML."""
        text, mark, start = self._text, found.group(), found.end()
        if mark in self._none:
            return mark == _CDATA or self._has_edge(start)
        inner = text.find(mark, start, end)
        if (mark == _CDATA and inner < 0) or self._budget <= 0:
            return False
        self._budget -= end - start
        edge = _EDGE.search(text, start, end)
        if mark == _CDATA:
            element = _element(text, found.start())
            # Among elements a CDATA section says nothing, and nobody writes one there.
            return element is None or element.end < inner
        return edge is not None and self._is_open_comment(start, end, has_inner=inner >= 0)

    def _is_open_comment(self, start: int, end: int, *, has_inner: bool) -> bool:
        """Return True if a comment with tags of entries in it reaches over the end of its own entry."""
        found = list(_EDGE.finditer(self._text, start, end))
        edges = [one.group(1) for one in found if one.group(2).lower() in _ENTRIES]
        if self._text.rfind(_CDATA, start, end) > self._text.rfind("]]>", start, end):
            # It ends at an arrow in the text of a CDATA section.
            return bool(edges)
        if has_inner:
            # Two hyphens may not stand in a comment (XML 1.0 section 2.5): this one is malformed in any case.
            return len(edges) < len(found) or edges[:1] == ["/"] or edges.count("/") * 2 != len(edges)
        return edges[:1] == ["/"] and "" in edges

    def _has_edge(self, start: int) -> bool:
        if start >= self._edge:
            found = _EDGE.search(self._text, start)
            self._edge = found.start() if found else len(self._text)
        return self._edge < len(self._text)


class _Element(NamedTuple):
    """The element around a section: whether text stands before the section in it, and where its end tag begins."""

    has_text: bool
    end: int


def _element(text: str, start: int) -> _Element | None:
    """Return the element whose start tag is the last tag before a section, None where that is no start tag."""
    opened = text.rfind("<", 0, start)
    found = _NAME.match(text, opened) if opened >= 0 else None
    if found is None or found.end() > start or found.group().endswith("/>"):
        return None
    name = found.group(1)
    if name.lower().rpartition(":")[2] in _CONTAINERS:
        return None
    end = re.compile(rf"</{re.escape(name[:200])}\s*>").search(text, start)
    return _Element(bool(text[found.end() : start].strip()), end.start() if end else len(text))
