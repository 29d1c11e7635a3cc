"""Article files: text in, an Article out, and back into a file with only the lines changed that have to be.

Nothing here touches a disk: callers bring bytes and take bytes. Nothing is imported until it is used: a build with
nothing to do reads no article.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from feedtool.article.nouns import HEAD_SIZE, Head, Rules

if TYPE_CHECKING:
    from feedtool.article.alike import heads_alike
    from feedtool.article.document import Document, parse_document
    from feedtool.article.edit import edit_front_matter, front_matter
    from feedtool.article.read import Shown, read_article, read_head

_HOMES = {
    "Document": "feedtool.article.document",
    "Shown": "feedtool.article.read",
    "edit_front_matter": "feedtool.article.edit",
    "front_matter": "feedtool.article.edit",
    "heads_alike": "feedtool.article.alike",
    "parse_document": "feedtool.article.document",
    "read_article": "feedtool.article.read",
    "read_head": "feedtool.article.read",
}

__all__ = [
    "HEAD_SIZE",
    "Document",
    "Head",
    "Rules",
    "Shown",
    "edit_front_matter",
    "front_matter",
    "heads_alike",
    "parse_document",
    "read_article",
    "read_head",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value  # asked once, found at once ever after
    return value
