"""Texts in, elements as markup and the bytes of one entry or of one whole document out; what they mean is their format's.

Every document's root declares every prefix that its entries use: so the bytes of an entry fit into any document of its
format. Written in the canonical way of libxml2, by two rules of escaping, since making and serialising a tree of lxml took
four times as long and was a seventh of a site's build; `tests/test_render_laws.py` reads all of it back with lxml.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from feedtool.feeds.values import legal_bytes, page_of, reference
from feedtool.html.text import escaped, legal_text
from feedtool.models import Feed
from feedtool.pieces import Pieces

_DECLARATION = b'<?xml version="1.0" encoding="utf-8"?>\n'
_XHTML = "http://www.w3.org/1999/xhtml"
_BANNER = {
    "en": ("This is a feed. Copy its address into a feed reader to subscribe: ", "Open the website"),
    "zh": ("这是一个订阅源（feed）。把它的地址复制到阅读器即可订阅：", "打开网站"),
}


class Frame:
    """A format's root element with its prefixes: what all its documents share, byte for byte."""

    def __init__(self, tag: str, prefixes: Mapping[str, str], **attributes: str) -> None:
        self._tag = tag
        spaces = {f"xmlns:{prefix}" if prefix else "xmlns": space for prefix, space in prefixes.items()}
        self._opening = opening(tag, spaces | attributes)

    def document(
        self,
        head: str,
        entries: Sequence[Pieces] = (),
        *,
        css: str | None = None,
        inner: str = "",
        attributes: Mapping[str, str] | None = None,
    ) -> Pieces:
        """Return the document: the root, with `attributes` besides its own, holds `head` and the rendered entries.

        They stand in its child `inner`, where that is given. In pieces: an entry's bytes are those of all documents that
        hold it, and to copy half a megabyte together for each takes as long as to write it.
        """
        inside = f"<{inner}>\n" if inner else ""
        begin = f"{self._opening}{attributes_of(attributes)}>\n{inside}{head}"
        end = f"</{inner}></{self._tag}>\n" if inner else f"</{self._tag}>\n"
        parts = [_DECLARATION, _stylesheet(css), encoded(begin)]
        for entry in entries:
            parts += (*entry, b"\n")
        return (*parts, encoded(end))


def element(tag: str, inner: str = "", attributes: Mapping[str, str] | None = None) -> str:
    """Return an element around what is markup already; attributes are addresses or went through `legal`."""
    begin = opening(tag, attributes)
    return f"{begin}>{inner}</{tag}>" if inner else f"{begin}/>"


def line(tag: str, text: str | None = None, attributes: Mapping[str, str] | None = None) -> str:
    """Return an element around any text, on a line of its own."""
    return element(tag, markup(text) if text else "", attributes) + "\n"


def plain_line(tag: str, text: str, attributes: Mapping[str, str] | None = None) -> str:
    """Return an element on a line of its own around a text that people wrote, its ampersands as `&#x26;`.

    The RSS profile ("Character data") found that most readers get that form right, and the validator takes it as a
    sign that `R&D2` is meant as it stands.
    """
    return element(tag, plain_markup(text), attributes) + "\n"


def opening(tag: str, attributes: Mapping[str, str] | None = None) -> str:
    """Return an element's tag as far as its end, without the sign that ends it."""
    return f"<{tag}{attributes_of(attributes)}"


def attributes_of(attributes: Mapping[str, str] | None) -> str:
    """Return attributes as they are written in a tag, in the order given."""
    return "".join([_attribute(name, value) for name, value in attributes.items()]) if attributes else ""


def markup(text: str) -> str:
    """Return any text as it is written inside an element: XML 1.0, sections 2.4 and 2.11."""
    if text.isprintable():
        return escaped(text)
    return escaped(legal_text(text)).replace("\r", "&#13;")


def plain_markup(text: str) -> str:
    """Return a text that people wrote as `plain_line` writes it."""
    made = markup(text)
    return made.replace("&amp;", "&#x26;") if "&" in made else made


def _attribute(name: str, value: str) -> str:
    """Return an attribute; white space other than a space would not be read back as it is (XML 1.0, section 3.3.3)."""
    value = escaped(value).replace('"', "&quot;")
    if not value.isprintable():
        value = value.replace("\r", "&#13;").replace("\n", "&#10;").replace("\t", "&#9;")
    return f' {name}="{value}"'


def encoded(made: str) -> bytes:
    """Return markup as it is written."""
    # All has gone through `legal` or is ASCII; should half a sign have come past that, it goes, and not the feed.
    return made.encode("utf-8", "ignore")


@lru_cache(maxsize=1)  # the next format's entry is of the same article, and shares these very bytes
def content(text: str) -> bytes:
    """Return an article's text as it is written inside an element; bytes of Chinese are replaced sooner than its letters."""
    raw = legal_bytes(text)
    return raw.replace(b"&", b"&amp;").replace(b"<", b"&lt;").replace(b">", b"&gt;").replace(b"\r", b"&#13;")


def banner(feed: Feed, self_url: str) -> str:
    """Tell a person who opens the feed in a browser what it is; readers pass over what is not in their namespace."""
    words, home = _BANNER["zh" if (feed.language or "").lower().startswith("zh") else "en"]
    # Telephones show what names no viewport as a page made for a desk, at a third of its size.
    viewport = element("meta", "", {"name": "viewport", "content": "width=device-width, initial-scale=1"})
    links = element("a", markup(self_url), {"href": self_url}), element("a", markup(home), {"href": page_of(feed)})
    return element("div", f"{viewport}{words}{links[0]} · {links[1]}", {"xmlns": _XHTML}) + "\n"


def _stylesheet(css: str | None) -> bytes:
    """Return the line that ties a style sheet to the document: xml-stylesheet, W3C, section 3."""
    # Percent-encoded, the address holds no quote and no ">", and so can't end the instruction.
    return encoded(f'<?xml-stylesheet{_attribute("href", reference(css))} type="text/css"?>\n') if css else b""
