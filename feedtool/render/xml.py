"""Elements in, the bytes of one entry or of one whole document out; what the elements mean is their format's module's.

Every document's root declares every prefix that its entries use: so the bytes of an entry fit into any document of its
format. Written in the canonical way of libxml2, by two rules of escaping, since making and serialising a tree of lxml took
four times as long and was a seventh of a site's build; `tests/test_render_laws.py` reads all of it back with lxml.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from feedtool.html.text import escaped, legal_text
from feedtool.model import Feed
from feedtool.render.text import legal, page_of, reference

_DECLARATION = b'<?xml version="1.0" encoding="utf-8"?>\n'
_XHTML = "http://www.w3.org/1999/xhtml"
_BANNER = {
    "en": ("This is a feed. Copy its address into a feed reader to subscribe: ", "Open the website"),
    "zh": ("这是一个订阅源（feed）。把它的地址复制到阅读器即可订阅：", "打开网站"),
}


Pieces = tuple[bytes, ...]
"""The bytes of one entry, cut where its article's text begins and ends."""


class Node:
    """One element. `text` and `tail` are markup already; `attributes` are texts, in the order they are written."""

    __slots__ = ("attributes", "nodes", "tag", "tail", "text")

    def __init__(self, tag: str, text: str = "", attributes: Mapping[str, str] | None = None) -> None:
        self.tag = tag
        self.text = text
        self.attributes: dict[str, str] = dict(attributes) if attributes else {}
        self.nodes: list[Node] = []
        self.tail = ""

    def opening(self) -> str:
        """Return the element's tag as far as its end, without the sign that ends it."""
        return f"<{self.tag}{''.join([_attribute(name, value) for name, value in self.attributes.items()])}"

    def inner(self) -> str:
        """Return what stands between the element's tags."""
        return self.text + "".join([node.whole() for node in self.nodes])

    def whole(self) -> str:
        """Return the element and what stands behind it."""
        inner = self.inner()
        end = f">{inner}</{self.tag}>" if inner else "/>"
        return f"{self.opening()}{end}{self.tail}"


class Frame:
    """A format's root element with its prefixes: what all its documents share, byte for byte."""

    def __init__(self, tag: str, prefixes: Mapping[str, str], **attributes: str) -> None:
        self._tag = tag
        spaces = {f"xmlns:{prefix}" if prefix else "xmlns": space for prefix, space in prefixes.items()}
        self._attributes = spaces | attributes

    def root(self) -> Node:
        """Return a new root to append a document's own elements to."""
        return Node(self._tag, "\n", self._attributes)

    def document(self, root: Node, entries: Sequence[Pieces], *, css: str | None, inner: str = "") -> bytes:
        """Return the document: `root` with the rendered entries as its last children, or those of its child `inner`."""
        end = f"</{inner}></{self._tag}>" if inner else f"</{self._tag}>"
        whole = _bytes(root.whole())
        cut = len(whole) - len(end)
        parts = [_DECLARATION, _stylesheet(css), whole[:cut]]
        for entry in entries:
            parts += (*entry, b"\n")
        return b"".join([*parts, whole[cut:], b"\n"])


def pieces(element: Node, hollow: Node | None = None, text: str = "") -> Pieces:
    """Return an element's bytes. `hollow` is one of its children, empty yet, that is to hold `text`.

    Such a text is promised to be legal. Most of an entry is its article, so that is escaped once for all formats,
    and is a piece that they share.
    """
    if hollow is None:
        return (_bytes(element.whole()),)
    at = element.nodes.index(hollow)
    before = [node.whole() for node in element.nodes[:at]]
    after = [node.whole() for node in element.nodes[at + 1 :]]
    first = f"{element.opening()}>{element.text}{''.join(before)}{hollow.opening()}>"
    last = f"</{hollow.tag}>{hollow.tail}{''.join(after)}</{element.tag}>{element.tail}"
    return (_bytes(first), _content(text), _bytes(last))


def child(parent: Node, tag: str, text: str | None = None, attributes: Mapping[str, str] | None = None) -> Node:
    """Append an element on a line of its own. Any text goes; attributes are addresses or went through `legal`."""
    element = Node(tag, _markup(legal(text)) if text else "", attributes)
    element.tail = "\n"
    parent.nodes.append(element)
    return element


def plain_child(parent: Node, tag: str, text: str, attributes: Mapping[str, str] | None = None) -> Node:
    """Append an element with a text that people wrote, its ampersands as `&#x26;`.

    The RSS profile ("Character data") found that most readers get that form right, and the validator takes it as a
    sign that `R&D2` is meant as it stands.
    """
    element = child(parent, tag, text, attributes)
    if "&" in element.text:
        element.text = element.text.replace("&amp;", "&#x26;")
    return element


def _markup(text: str) -> str:
    """Return a text as it is written inside an element: XML 1.0, sections 2.4 and 2.11."""
    return escaped(text).replace("\r", "&#13;")


def _attribute(name: str, value: str) -> str:
    """Return an attribute; white space other than a space would not be read back as it is (XML 1.0, section 3.3.3)."""
    value = _markup(value).replace('"', "&quot;")
    if not value.isprintable():
        value = value.replace("\n", "&#10;").replace("\t", "&#9;")
    return f' {name}="{value}"'


def _bytes(markup: str) -> bytes:
    # All has gone through `legal` or is ASCII; should half a sign have come past that, it goes, and not the feed.
    return markup.encode("utf-8", "ignore")


@lru_cache(maxsize=1)  # the next format's entry is of the same article
def _content(text: str) -> bytes:
    """Return an article's text as it is written inside an element; bytes of Chinese are replaced sooner than its letters."""
    raw = legal_text(text).encode()
    return raw.replace(b"&", b"&amp;").replace(b"<", b"&lt;").replace(b">", b"&gt;").replace(b"\r", b"&#13;")


def banner(parent: Node, feed: Feed, self_url: str) -> None:
    """Tell a person who opens the feed in a browser what it is; readers pass over what is not in their namespace."""
    words, home = _BANNER["zh" if (feed.language or "").lower().startswith("zh") else "en"]
    div = child(parent, "div", None, {"xmlns": _XHTML})
    # Telephones show what names no viewport as a page made for a desk, at a third of its size.
    child(div, "meta", None, {"name": "viewport", "content": "width=device-width, initial-scale=1"}).tail = words
    child(div, "a", self_url, {"href": self_url}).tail = " · "
    child(div, "a", home, {"href": page_of(feed)}).tail = ""


def _stylesheet(css: str | None) -> bytes:
    """Return the line that ties a style sheet to the document: xml-stylesheet, W3C, section 3."""
    # Percent-encoded, the address holds no quote and no ">", and so can't end the instruction.
    return _bytes(f'<?xml-stylesheet{_attribute("href", reference(css))} type="text/css"?>\n') if css else b""
