"""Split XML text into markup and sections without markup (CDATA, comments), and close unterminated sections.

An unterminated section hides everything up to the end of the next section of its kind, often whole entries. A section that
extends beyond the end of its entry is therefore considered unterminated.
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
"""Elements that contain elements and no text."""
_MOST_READINGS = 10
"""How much text of nested sections may be scanned, in lengths of the whole text."""
_MOST_LINES = 20


class Fault(NamedTuple):
    """A fault of the XML: its line (from 1) and a description for users."""

    line: int
    what: str


def line_at(text: str, at: int) -> int:
    """Return the line number, from 1, of a position in a text."""
    return text.count("\n", 0, at) + 1


def pieces_of(text: str) -> list[tuple[str, bool]]:
    """Return the text in pieces, each with True if it is markup, False if it is a CDATA section or comment."""
    pieces: list[tuple[str, bool]] = []
    at = 0
    for match in _SECTION.finditer(text):
        pieces.append((text[at : match.start()], True))
        pieces.append((match.group(), False))
        at = match.end()
    pieces.append((text[at:], True))
    return pieces


def end_sections(text: str) -> tuple[str, list[Fault]]:
    """Return the text with all CDATA sections and comments terminated, and the faults.

    An unterminated CDATA section ends before the end tag of its element. If the element is unknown, and for a comment, the
    extent of the section cannot be determined: only its opening delimiter is removed.
    """
    faults: list[Fault] = []
    if _CDATA not in text and _COMMENT not in text:
        return text, faults
    parts: list[str] = []
    copied = at = 0
    ends = _Ends(text)
    while match := _OPENING.search(text, at):
        start, opening = match.start(), match.group()
        end = ends.end_of(match)
        if not ends.is_open(match, end):
            at = end
            continue
        line = line_at(text, start) if len(faults) < _MOST_LINES else faults[0].line
        faults.append(Fault(line, f"a {'CDATA section' if opening == _CDATA else 'comment'} has no end"))
        parts.append(text[copied:start])
        copied = at = match.end()
        element = _element(text, start) if opening == _CDATA else None
        if element is not None and (not element.has_text or "<" in text[at : element.end]):
            parts += [_CDATA, text[at : element.end], "]]>"]
            copied = at = element.end
    return ("".join([*parts, text[copied:]]) if parts else text), faults


class _Ends:
    """Find the ends of sections, in time linear in the text for any number of unterminated sections."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._none: set[str] = set()
        self._edge = -1
        self._budget = _MOST_READINGS * len(text)

    def end_of(self, match: re.Match[str]) -> int:
        """Return the end of the section by the rules of XML, the end of the text if the section is unterminated."""
        opening = match.group()
        close = _CLOSE[opening]
        end = self._text.find(close, match.end()) if opening not in self._none else -1
        if end < 0:
            self._none.add(opening)
            return len(self._text)
        return end + len(close)

    def is_open(self, match: re.Match[str], end: int) -> bool:
        """Return True if the section has no end of its own; `end` is its end by the rules of XML."""
        text, opening, start = self._text, match.group(), match.end()
        if opening in self._none:
            return opening == _CDATA or self._has_edge(start)
        inner = text.find(opening, start, end)
        if (opening == _CDATA and inner < 0) or self._budget <= 0:
            return False
        self._budget -= end - start
        edge = _EDGE.search(text, start, end)
        if opening == _CDATA:
            element = _element(text, match.start())
            # A CDATA section between elements has no meaning, so no generator writes one there.
            return element is None or element.end < inner
        return edge is not None and self._is_open_comment(start, end, has_inner=inner >= 0)

    def _is_open_comment(self, start: int, end: int, *, has_inner: bool) -> bool:
        """Return True if a comment that contains tags of entries extends beyond the end of its own entry."""
        match = list(_EDGE.finditer(self._text, start, end))
        edges = [one.group(1) for one in match if one.group(2).lower() in _ENTRIES]
        if self._text.rfind(_CDATA, start, end) > self._text.rfind("]]>", start, end):
            # Its end is a "-->" in the text of a CDATA section.
            return bool(edges)
        if has_inner:
            # A comment must not contain two hyphens (XML 1.0 section 2.5): this one is malformed in any case.
            return len(edges) < len(match) or edges[:1] == ["/"] or edges.count("/") * 2 != len(edges)
        return edges[:1] == ["/"] and "" in edges

    def _has_edge(self, start: int) -> bool:
        if start >= self._edge:
            match = _EDGE.search(self._text, start)
            self._edge = match.start() if match else len(self._text)
        return self._edge < len(self._text)


class _Element(NamedTuple):
    """The element around a section: whether it has text before the section, and the start of its end tag."""

    has_text: bool
    end: int


def _element(text: str, start: int) -> _Element | None:
    """Return the element whose start tag is the last tag before a section, None if that tag is not a start tag."""
    opened = text.rfind("<", 0, start)
    match = _NAME.match(text, opened) if opened >= 0 else None
    if match is None or match.end() > start or match.group().endswith("/>"):
        return None
    name = match.group(1)
    if name.lower().rpartition(":")[2] in _CONTAINERS:
        return None
    end = re.compile(rf"</{re.escape(name[:200])}\s*>").search(text, start)
    return _Element(bool(text[match.end() : start].strip()), end.start() if end else len(text))
