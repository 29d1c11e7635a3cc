"""Make a feed's malformed XML well-formed, entry by entry, so that a fault in one entry does not affect the others.

libxml2's recovery and feedparser's loose parser read a document as one stream: a stray end tag in an entry of an Atom feed
ends the feed there. This module first finds the tags of entries, and then repairs each entry separately.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from feedtool.feedparse.tags import Scanner, Token

_DEEPEST = 200
_FIRST = re.compile(r"<((?:[A-Za-z_][\w.-]*:)?)(?:channel|feed)(?=[\s/>])", re.IGNORECASE)
_CONTAINERS = frozenset({"author", "contributor", "source", "image", "textinput", "group", "owner"})
"""Elements that contain elements: an unclosed child of one of them ends where the next child begins."""
_EMPTY = frozenset({"area", "br", "col", "embed", "hr", "img", "input", "param", "track", "wbr"})
"""HTML's elements without an end tag, except those whose names have a meaning in feeds."""
_RESERVED = frozenset({"xml", "xmlns"})


class Repaired(NamedTuple):
    """A well-formed document; `entries` counts its entries.

    `faults` are (position in the original document, description), in document order.
    """

    xml: str
    entries: int
    faults: list[tuple[int, str]]


def well_formed(text: str, root: str, namespaces: dict[str, str]) -> Repaired:
    """Return the document as well-formed XML. Its references and sections must be valid; `root` is its first element.

    `namespaces` maps prefixes that the document may use without declaring them. Time is linear in the text.
    """
    match = _FIRST.search(text)
    prefix = match.group(1) if match else ""
    entry = prefix + ("entry" if root.lower().rpartition(":")[2] == "feed" else "item")
    frame = root.lower(), f"{prefix}channel".lower()
    scanner = Scanner(text, entry, frame)
    tokens = list(scanner.tokens())
    repair = _Repair(scanner, entry.lower(), frame, namespaces)
    xml = repair.document(tokens)
    return Repaired(xml, repair.entries, sorted(scanner.faults))


@dataclass(slots=True)
class _Repair:
    """Write a document; `frame` has the names of the elements around entries, starting with the root."""

    scanner: Scanner
    entry: str
    frame: tuple[str, str]
    namespaces: dict[str, str]
    entries: int = 0
    out: list[str] = field(default_factory=list)
    open_frames: list[str] = field(default_factory=list)
    pending: list[Token] = field(default_factory=list)
    is_in_entry: bool = False
    is_over: bool = False
    has_channel: bool = False

    def document(self, tokens: list[Token]) -> str:
        """Return the document's text."""
        following = self._next_tags(tokens)
        last = max((at for at, token in enumerate(tokens) if self._is_frame(token) and token.kind == "end"), default=-1)
        declared = self._declarations(tokens)
        for at, token in enumerate(tokens):
            if token.name.lower() == self.entry and token.kind != "text":
                self._entry_tag(token, following[at])
            elif self._is_frame(token):
                self._frame_tag(token, declared, is_last=at == last, following=following[at])
            else:
                self.pending.append(token)
        self._flush()
        if self.is_in_entry:
            self._fault(None, "the document is cut off")
            self.out.append(f"</{self.entry_name}>")
        self.out += [f"</{name}>" for name in reversed(self.open_frames)]
        if last < 0 and self.open_frames and not self.is_in_entry:
            self._fault(None, "the document is cut off")
        return "".join(self.out)

    @property
    def entry_name(self) -> str:
        """The name of entries' elements in the output."""
        return self.scanner.entry

    def _fault(self, token: Token | None, what: str) -> None:
        self.scanner.fault(token.at if token else len(self.scanner.text), what)

    def _is_frame(self, token: Token) -> bool:
        return token.kind != "text" and token.name.lower() in self.frame

    def _next_tags(self, tokens: list[Token]) -> list[str]:
        """Return for each token the kind of the next tag of an entry, "end" or "start", "" if there is none."""
        following, after = [""] * len(tokens), ""
        for at in range(len(tokens) - 1, -1, -1):
            following[at] = after
            if tokens[at].kind != "text" and tokens[at].name.lower() == self.entry:
                after = "end" if tokens[at].kind == "end" else "start"
        return following

    def _declarations(self, tokens: list[Token]) -> dict[str, str]:
        """Return a namespace for every used prefix; the root element will declare them."""
        used: dict[str, None] = {}
        declared: dict[str, str] = {}
        for token in tokens:
            for name in (token.name, *token.attributes) if token.kind != "text" else ():
                prefix, colon, local = name.partition(":")
                if colon and prefix == "xmlns" and local not in _RESERVED:
                    declared.setdefault(local, token.attributes[name])
                elif colon and prefix not in _RESERVED:
                    used[prefix] = None
        unknown = {name: self.namespaces.get(name, f"http://undeclared.invalid/{name}") for name in used}
        return unknown | {name: value for name, value in declared.items() if value}

    def _entry_tag(self, token: Token, following: str) -> None:
        if token.kind == "end":
            if not self.is_in_entry or following == "end":
                # The next end tag is the entry's own.
                self._fault(token, f"</{token.name}> without a start tag")
                return
            self._flush()
            self.out.append(f"</{self.entry_name}>")
            self.is_in_entry = False
            return
        self._flush()
        if self.is_in_entry:
            self._fault(token, f"<{token.name}> inside the previous one")
            self.out.append(f"</{self.entry_name}>")
        self.entries += token.kind == "start"
        self.out.append(_start(token, self.entry_name))
        self.is_in_entry = token.kind == "start"

    def _frame_tag(self, token: Token, declared: dict[str, str], *, is_last: bool, following: str) -> None:
        is_root = token.name.lower() == self.frame[0]
        if token.kind == "end":
            # Content behind an end tag still belongs to the feed, unless it is the last one. In RDF the channel ends before
            # the entries.
            is_channel = not is_root and self.frame[0].endswith("rdf") and following == "start" and not self.is_in_entry
            if is_channel and len(self.open_frames) > 1 and self._ends_channel(token):
                self._flush()
                self.out.append(f"</{self.open_frames.pop()}>")
            elif is_last and not self.is_in_entry:
                self._flush()
                self.is_over = True
            return
        self._flush()
        if (self.open_frames and is_root) or self.has_channel or self.is_in_entry:
            self._fault(token, f"a second <{token.name}>")
            self.is_over = self.is_over or not self.is_in_entry
            return
        self.has_channel = not is_root
        self.out.append(_start(token, token.name, {} if self.open_frames else declared))
        self.open_frames.append(token.name)

    def _ends_channel(self, token: Token) -> bool:
        """Return True if there is no other end tag of the channel before the next entry."""
        again = re.compile(rf"</{re.escape(token.name)}[\s>]|<{re.escape(self.entry_name)}[\s/>]", re.IGNORECASE)
        match = again.search(self.scanner.text, token.at + 2)
        return match is None or not match.group().startswith("</")

    def _flush(self) -> None:
        """Write the tokens inside an entry or between entries; drop those outside the document."""
        tokens, self.pending = self.pending, []
        if self.is_in_entry or (self.open_frames and not self.is_over):
            _balance(tokens, self.out, self.scanner)
        elif behind := next((one for one in tokens if one.kind != "text" or one.text.strip()), None):
            self._fault(behind, "content outside the document")


@dataclass(slots=True)
class _Open:
    """An open element. `start` is the index of its start tag in the output, `slot` that of a place before its first child,
    for an end tag."""

    key: str
    name: str
    at: int
    start: int
    slot: int = -1


def _balance(tokens: list[Token], out: list[str], scanner: Scanner) -> None:
    """Write tokens, so that each element that starts among them also ends among them."""
    stack: list[_Open] = []
    counts: Counter[str] = Counter()
    surplus = _surplus(tokens)
    for at, token in enumerate(tokens):
        key = token.name.lower()
        if token.kind == "text":
            out.append(token.text)
        elif token.kind == "end" and key in _EMPTY:
            counts[key] -= 1
            if counts[key] < 0:
                scanner.fault(token.at, f"</{token.name}> without a start tag")
        elif token.kind == "end":
            if not counts[key] or (surplus[key] > 0 and _is_stray(tokens, at, stack[-1].key)):
                surplus[key] -= 1
                scanner.fault(token.at, f"</{token.name}> without a start tag")
                continue
            while stack[-1].key != key:
                _end(stack, counts, out, scanner)
            counts[key] -= 1
            out.append(f"</{stack.pop().name}>")
        else:
            if stack and stack[-1].slot < 0:
                stack[-1].slot = len(out)
                out.append("")
            _begin(token, key, stack, counts, out)
    while stack:
        _end(stack, counts, out, scanner)
    for token in tokens:
        if token.kind == "start" and counts[token.name.lower()] > 0:
            scanner.fault(token.at, f"<{token.name}> without an end tag")
            break


def _begin(token: Token, key: str, stack: list[_Open], counts: Counter[str], out: list[str]) -> None:
    if token.kind == "empty" or key in _EMPTY:
        counts[key] += token.kind == "start"
        out.append(_start(token._replace(kind="empty"), token.name))
    elif len(stack) < _DEEPEST:
        out.append(token.tag)
        stack.append(_Open(key, token.name, token.at, len(out) - 1))
        counts[key] += 1


def _surplus(tokens: list[Token]) -> Counter[str]:
    """Return for each name the number of its end tags minus that of its start tags."""
    surplus: Counter[str] = Counter()
    for token in tokens:
        if token.kind in ("start", "end"):
            surplus[token.name.lower()] += 1 if token.kind == "end" else -1
    return surplus


def _is_stray(tokens: list[Token], at: int, innermost: str) -> bool:
    """Return True if this end tag, of a name with too many end tags, is more likely the surplus one than the next."""
    key = tokens[at].name.lower()
    if innermost != key:
        return True
    after = next((one for one in tokens[at + 1 : at + 3] if one.kind != "text"), None)
    return after is not None and after.kind == "end" and after.name.lower() == key


def _end(stack: list[_Open], counts: Counter[str], out: list[str], scanner: Scanner) -> None:
    """End the innermost element, which has no end tag.

    In a text it ends with the text; among elements it ends where the next one begins.
    """
    one = stack.pop()
    counts[one.key] -= 1
    scanner.fault(one.at, f"<{one.name}> without an end tag")
    among = not stack or stack[-1].key.rpartition(":")[2] in _CONTAINERS
    end = one.slot if among and one.slot >= 0 else len(out)
    if among and not "".join(out[one.start + 1 : end]).strip():
        # Remove an empty element: an empty title, for example, would replace the feed's.
        out[one.start] = ""
    elif end < len(out):
        out[end] = f"</{one.name}>"
    else:
        out.append(f"</{one.name}>")


def _start(token: Token, name: str, declared: dict[str, str] | None = None) -> str:
    attributes = dict(token.attributes)
    for prefix, uri in (declared or {}).items():
        attributes.setdefault(f"xmlns:{prefix}", uri)
    return token._replace(name=name, attributes=attributes).tag
