"""Entries and feeds go in, HTML pages for people come out: the text outside an entry's content is always escaped.

Nothing is imported until it is used: a build with nothing to do needs none of it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from feedtool.pages.make import CONTENT_SECURITY_POLICY, article_page, category_page, index_page, stylesheet
    from feedtool.pages.nouns import Card, FeedLink, PageRules, card_of
    from feedtool.pages.sitemaps import sitemap, sitemap_paths

_HOMES = {
    "CONTENT_SECURITY_POLICY": "feedtool.pages.make",
    "Card": "feedtool.pages.nouns",
    "FeedLink": "feedtool.pages.nouns",
    "PageRules": "feedtool.pages.nouns",
    "article_page": "feedtool.pages.make",
    "card_of": "feedtool.pages.nouns",
    "category_page": "feedtool.pages.make",
    "index_page": "feedtool.pages.make",
    "sitemap": "feedtool.pages.sitemaps",
    "sitemap_paths": "feedtool.pages.sitemaps",
    "stylesheet": "feedtool.pages.make",
}

__all__ = [
    "CONTENT_SECURITY_POLICY",
    "Card",
    "FeedLink",
    "PageRules",
    "article_page",
    "card_of",
    "category_page",
    "index_page",
    "sitemap",
    "sitemap_paths",
    "stylesheet",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
