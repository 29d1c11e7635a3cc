"""Read the head of an HTML article: its title and its `meta` elements, which Pelican takes for metadata."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

from feedtool.article.fences import MAXIMUM
from feedtool.article.metadata import LISTS, listed

if TYPE_CHECKING:
    from feedtool.article.yamltext import Value

_BODY = re.compile(r"<body\b[^>]{0,2000}>", re.IGNORECASE)


class _Head(HTMLParser):
    """Collects what the head of an HTML article says: its title and its `meta` elements, by their names."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self.in_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name = (given.get("name") or "").strip().lower()
        if tag == "meta" and name:
            self.values.setdefault(name, (given.get("content") or given.get("contents") or "").strip())
        self.in_title = tag == "title"

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002 - the parser's own name
        self.in_title = False

    def handle_data(self, data: str) -> None:
        if self.in_title:
            self.values["title"] = self.values.get("title", "") + data


def html_metadata(text: str) -> tuple[dict[str, Value], int]:
    """Return the values in the head of an HTML article, as Pelican reads them, and where its body begins (0: nowhere)."""
    opening = _BODY.search(text[:MAXIMUM])
    if opening is None or text.lstrip()[:1] != "<":
        return {}, 0
    head = _Head()
    head.feed(text[: opening.start()])
    values: dict[str, Value] = {}
    for key, value in head.values.items():
        name = {"keywords": "tags"}.get(key, key)
        values[name] = list(listed([value])) if name in LISTS else value
    return values, opening.end()
