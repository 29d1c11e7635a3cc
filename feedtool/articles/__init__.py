"""Read article files into Articles, and edit or write article files.

Nothing here accesses the disk: functions take bytes and return bytes. Modules are imported on first use, because a build
with nothing to do reads no article.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from feedtool.articles.rules import HEAD_SIZE, Head, Rules

if TYPE_CHECKING:
    from feedtool.articles.article import ReadingDetails
    from feedtool.articles.editor import edit_front_matter, front_matter
    from feedtool.articles.frontmatter import Document, parse_document
    from feedtool.articles.reader import read_article, read_head
    from feedtool.articles.similar_heads import head_reader

_HOMES = {
    "Document": "feedtool.articles.frontmatter",
    "ReadingDetails": "feedtool.articles.article",
    "edit_front_matter": "feedtool.articles.editor",
    "front_matter": "feedtool.articles.editor",
    "head_reader": "feedtool.articles.similar_heads",
    "parse_document": "feedtool.articles.frontmatter",
    "read_article": "feedtool.articles.reader",
    "read_head": "feedtool.articles.reader",
}

__all__ = [
    "HEAD_SIZE",
    "Document",
    "Head",
    "ReadingDetails",
    "Rules",
    "edit_front_matter",
    "front_matter",
    "head_reader",
    "parse_document",
    "read_article",
    "read_head",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value  # found without __getattr__ from now on
    return value
