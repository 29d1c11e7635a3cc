"""Entries and feeds go in, HTML pages for people come out: the text outside an entry's content is always escaped."""

from __future__ import annotations

from feedtool.pages.make import (
    CONTENT_SECURITY_POLICY,
    article_page,
    category_page,
    index_page,
    stylesheet,
)
from feedtool.pages.nouns import Card, FeedLink, PageRules, card_of
from feedtool.pages.sitemap import sitemap, sitemap_paths

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
