"""Write XML elements and documents for the feed formats.

The root of every document declares every prefix that entries use, so the bytes of an entry fit into any document of its
format. The output has the canonical form of libxml2 and needs only two rules of escaping. Building and serialising a tree
with lxml took four times as long, a seventh of a site's build. `tests/test_formats_properties.py` reads the output back with lxml.
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
    """The root element of a format with its prefixes, which all documents of the format share byte for byte."""

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
        """Return a document whose root, with additional `attributes`, contains `head` and the rendered entries.

        If `inner` is given, they are inside a child element of that name. The document is returned in pieces, because
        documents share the bytes of their entries, and joining half a megabyte takes as long as writing it.
        """
        inside = f"<{inner}>\n" if inner else ""
        begin = f"{self._opening}{attributes_of(attributes)}>\n{inside}{head}"
        end = f"</{inner}></{self._tag}>\n" if inner else f"</{self._tag}>\n"
        parts = [_DECLARATION, _stylesheet(css), encoded(begin)]
        for entry in entries:
            parts += (*entry, b"\n")
        return (*parts, encoded(end))


def element(tag: str, inner: str = "", attributes: Mapping[str, str] | None = None) -> str:
    """Return an element with `inner` markup. The attributes must be addresses or have passed through `legal`."""
    begin = opening(tag, attributes)
    return f"{begin}>{inner}</{tag}>" if inner else f"{begin}/>"


def line(tag: str, text: str | None = None, attributes: Mapping[str, str] | None = None) -> str:
    """Return an element that contains a text, on a line of its own."""
    return element(tag, markup(text) if text else "", attributes) + "\n"


def plain_line(tag: str, text: str, attributes: Mapping[str, str] | None = None) -> str:
    """Return an element that contains a text by a person, with ampersands as `&#x26;`, on a line of its own.

    According to the RSS profile ("Character data"), most readers handle that form correctly, and the validator takes it to
    mean that `R&D2` is plain text.
    """
    return element(tag, plain_markup(text), attributes) + "\n"


def opening(tag: str, attributes: Mapping[str, str] | None = None) -> str:
    """Return the start tag of an element without the character that ends it."""
    return f"<{tag}{attributes_of(attributes)}"


def attributes_of(attributes: Mapping[str, str] | None) -> str:
    """Return the markup of attributes, in the given order."""
    return "".join([_attribute(name, value) for name, value in attributes.items()]) if attributes else ""


def markup(text: str) -> str:
    """Return the markup of a text inside an element (XML 1.0, sections 2.4 and 2.11)."""
    if text.isprintable():
        return escaped(text)
    return escaped(legal_text(text)).replace("\r", "&#13;")


def plain_markup(text: str) -> str:
    """Return the markup of a text by a person, escaped as in `plain_line`."""
    escaped_text = markup(text)
    return escaped_text.replace("&amp;", "&#x26;") if "&" in escaped_text else escaped_text


def _attribute(name: str, value: str) -> str:
    """Return the markup of an attribute, with whitespace other than spaces as references (XML 1.0, section 3.3.3)."""
    value = escaped(value).replace('"', "&quot;")
    if not value.isprintable():
        value = value.replace("\r", "&#13;").replace("\n", "&#10;").replace("\t", "&#9;")
    return f' {name}="{value}"'


def encoded(text: str) -> bytes:
    """Return the bytes of markup."""
    # All text has passed through `legal` or is ASCII. Drop lone surrogates, if any, rather than fail.
    return text.encode("utf-8", "ignore")


@lru_cache(maxsize=1)  # the entry of the same article in the next format shares these bytes
def content(text: str) -> bytes:
    """Return the markup of an article's text. Replacing bytes is faster than replacing characters in Chinese text."""
    raw = legal_bytes(text)
    return raw.replace(b"&", b"&amp;").replace(b"<", b"&lt;").replace(b">", b"&gt;").replace(b"\r", b"&#13;")


def banner(feed: Feed, self_url: str) -> str:
    """Return an element that explains the feed to a person who opens it in a browser.

    Readers ignore it, because it is in another namespace.
    """
    message, home = _BANNER["zh" if (feed.language or "").lower().startswith("zh") else "en"]
    # Without a viewport, phones lay the page out for a desktop screen and show it at a third of its size.
    viewport = element("meta", "", {"name": "viewport", "content": "width=device-width, initial-scale=1"})
    links = element("a", markup(self_url), {"href": self_url}), element("a", markup(home), {"href": page_of(feed)})
    return element("div", f"{viewport}{message}{links[0]} · {links[1]}", {"xmlns": _XHTML}) + "\n"


def _stylesheet(css: str | None) -> bytes:
    """Return the line that links a style sheet to the document (xml-stylesheet, W3C, section 3)."""
    # The percent-encoded address contains no quotation mark and no ">", so it cannot end the instruction.
    return encoded(f'<?xml-stylesheet{_attribute("href", reference(css))} type="text/css"?>\n') if css else b""
