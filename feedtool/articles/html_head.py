"""Read the title and the `meta` elements of an HTML article, which Pelican uses as metadata."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

from feedtool.articles.fences import MAXIMUM
from feedtool.articles.pelican_metadata import LISTS, listed

if TYPE_CHECKING:
    from feedtool.articles.yaml import Value

_HEAD_END = re.compile(r"</head\s*>", re.IGNORECASE)


class _BodyReached(Exception):  # noqa: N818 - not an error
    """The parser reached the `body` element, where metadata ends."""


class _Head(HTMLParser):
    """Collect the title and the `meta` elements of an HTML article by name."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self.in_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "body":
            raise _BodyReached
        attributes = dict(attrs)
        name = (attributes.get("name") or "").strip().lower()
        if tag == "meta" and name:
            self.values.setdefault(name, (attributes.get("content") or attributes.get("contents") or "").strip())
        self.in_title = tag == "title"

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002 - the parser's own name
        self.in_title = False

    def handle_data(self, data: str) -> None:
        if self.in_title:
            self.values["title"] = self.values.get("title", "") + data


def html_metadata(text: str) -> tuple[dict[str, Value], int]:
    """Return the values in the head of an HTML article, as Pelican reads them, and the offset of its body (0: no body found).

    Raise ValueError if the head cannot be read. A parser is needed: `<body>` may also occur in a comment or a script.
    """
    if text.lstrip()[:1] != "<":
        return {}, 0
    head = _Head()
    try:
        head.feed(text[:MAXIMUM])
    except _BodyReached:
        line, column = head.getpos()
        start = sum(len(one) for one in text.split("\n", line - 1)[: line - 1]) + line - 1 + column
        body = start + len(head.get_starttag_text() or "")
    except AssertionError as error:  # html.parser gives up on an unknown marked section, `<![x`
        raise ValueError("cannot read the head of the HTML") from error
    else:
        if len(text) > MAXIMUM and head.values:
            raise ValueError(f"no <body> in the first {MAXIMUM:,} characters of the HTML")
        match = _HEAD_END.search(text[:MAXIMUM])
        body = match.end() if match is not None and head.values else 0
    values: dict[str, Value] = {}
    for key, value in head.values.items():
        name = {"keywords": "tags"}.get(key, key)
        values[name] = list(listed([value])) if name in LISTS else value
    return values, body
