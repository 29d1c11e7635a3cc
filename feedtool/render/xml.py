"""Elements in, the bytes of one entry or of one whole document out; what the elements mean is their format's module's.

An entry is serialised inside a root that declares every prefix, and the root's tags are then cut off: so its bytes
fit into any document that starts with the same root.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from lxml import etree

from feedtool.html.text import legal_text, may_be_illegal
from feedtool.model import Feed
from feedtool.render.text import legal, page_of, reference

XHTML = "http://www.w3.org/1999/xhtml"
_XHTML = f"{{{XHTML}}}"
_XHTML_ALONE: Any = {None: XHTML}
_DECLARATION = b'<?xml version="1.0" encoding="utf-8"?>\n'
_PLACE = "\ue0f0feedtool\ue0f1"
"""Stands for a text that is put in later: characters that nobody gave a meaning; where a text holds them, no such way is taken."""
_BANNER = {
    "en": ("This is a feed. Copy its address into a feed reader to subscribe: ", "Open the website"),
    "zh": ("这是一个订阅源（feed）。把它的地址复制到阅读器即可订阅：", "打开网站"),
}


Pieces = tuple[bytes, ...]
"""The bytes of one entry, cut where its article's text begins and ends."""


class Frame:
    """A format's root element with its prefixes: what all its documents share, byte for byte."""

    def __init__(self, tag: str, prefixes: Mapping[str | None, str], **attributes: str) -> None:
        self._tag = tag
        self._prefixes: Any = dict(prefixes)  # lxml takes None for the default namespace; its stubs do not know
        self._attributes = attributes
        whole = etree.tostring(self._root_with("\n"), encoding="utf-8")
        self._start = whole.index(b">\n") + 1
        self._end = len(whole) - self._start - 1

    def root(self) -> etree._Element:
        """Return a new empty root to append an entry to, or a document's own elements."""
        return etree.Element(self._tag, self._attributes, self._prefixes)

    def inside(self, root: etree._Element, hollow: etree._Element | None = None, text: str = "") -> Pieces:
        """Return what stands between the root's tags. `hollow` is an element below it, empty yet, that is to hold `text`.

        Such a text is promised to be legal. Most of an entry is its article, so that is escaped once for all formats,
        and is a piece that they share.
        """
        if hollow is None:
            return (self._between(root),)
        written = _escaped(text)
        if written is not None:
            hollow.text = _PLACE
            before, _, after = self._between(root).partition(_PLACE.encode())
            if _PLACE.encode() not in after:
                return (before, written, after)
        try:
            hollow.text = text
        except ValueError:  # a promise is no reason to lose a feed
            hollow.text = legal_text(text)
        return (self._between(root),)

    def _between(self, root: etree._Element) -> bytes:
        return etree.tostring(root, encoding="utf-8")[self._start : -self._end]

    def document(self, root: etree._Element, entries: Sequence[Pieces], *, css: str | None, inner: str = "") -> bytes:
        """Return the document: `root` with the rendered entries as its last children, or those of its child `inner`."""
        whole = etree.tostring(root, encoding="utf-8")
        cut = len(whole) - self._end - (len(inner) + 3 if inner else 0)
        parts = [_DECLARATION, _stylesheet(css), whole[:cut]]
        for entry in entries:
            parts += (*entry, b"\n")
        return b"".join([*parts, whole[cut:], b"\n"])

    def _root_with(self, text: str) -> etree._Element:
        root = self.root()
        root.text = text
        return root


def child(
    parent: etree._Element, tag: str, text: str | None = None, attributes: dict[str, str] | None = None
) -> etree._Element:
    """Append an element on a line of its own. Any text goes; attributes are addresses or went through `legal`."""
    element = etree.SubElement(parent, tag)
    element.tail = "\n"
    if attributes:
        for name, value in attributes.items():
            element.set(name, value)
    if text:
        element.text = legal(text)
    return element


def plain_child(
    parent: etree._Element, tag: str, text: str, attributes: dict[str, str] | None = None
) -> etree._Element:
    """Append an element with a text that people wrote, its ampersands as `&#x26;`.

    The RSS profile ("Character data") found that most readers get that form right, and the validator takes it as a
    sign that `R&D2` is meant as it stands.
    """
    first, *others = legal(text).split("&")
    element = child(parent, tag, first, attributes)
    for other in others:
        ampersand = etree.Entity("#x26")
        ampersand.tail = other
        element.append(ampersand)
    return element


@lru_cache(maxsize=1)  # the next format's entry is of the same article
def _escaped(text: str) -> bytes | None:
    """Return a text as libxml2 writes it inside an element; None where it is not as plain as nearly every one is."""
    try:
        raw = text.encode()
    except UnicodeEncodeError:
        return None
    if "\r" in text or may_be_illegal(text, raw):
        return None
    return raw.replace(b"&", b"&amp;").replace(b"<", b"&lt;").replace(b">", b"&gt;")


def banner(parent: etree._Element, feed: Feed, self_url: str) -> None:
    """Tell a person who opens the feed in a browser what it is; readers pass over what is not in their namespace."""
    words, home = _BANNER["zh" if (feed.language or "").lower().startswith("zh") else "en"]
    div = etree.SubElement(parent, _XHTML + "div", {}, _XHTML_ALONE)
    div.tail = "\n"
    # Telephones show what names no viewport as a page made for a desk, at a third of its size.
    child(div, _XHTML + "meta", "", {"name": "viewport", "content": "width=device-width, initial-scale=1"}).tail = words
    child(div, _XHTML + "a", self_url, {"href": self_url}).tail = " · "
    page = page_of(feed)
    child(div, _XHTML + "a", home, {"href": page}).tail = None


def _stylesheet(css: str | None) -> bytes:
    """Return the line that ties a style sheet to the document: xml-stylesheet, W3C, section 3."""
    if not css:
        return b""
    # Percent-encoded, the address holds no ">" and so can't end the instruction.
    href = reference(css).replace("&", "&amp;")
    instruction = etree.ProcessingInstruction("xml-stylesheet", f'href="{href}" type="text/css"')
    return etree.tostring(instruction, encoding="utf-8") + b"\n"
