"""Render the HTML pages of a site: articles, categories and the index.

All text outside an entry's content is escaped. Submodules are imported on first use, because a build that has nothing to
do needs none of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from feedtool.site.models import Card, FeedLink, PageRules, card_of
    from feedtool.site.render import CONTENT_SECURITY_POLICY, article_page, category_page, index_page, stylesheet
    from feedtool.site.sitemaps import sitemap, sitemap_paths

_HOMES = {
    "CONTENT_SECURITY_POLICY": "feedtool.site.render",
    "Card": "feedtool.site.models",
    "FeedLink": "feedtool.site.models",
    "PageRules": "feedtool.site.models",
    "article_page": "feedtool.site.render",
    "card_of": "feedtool.site.models",
    "category_page": "feedtool.site.render",
    "index_page": "feedtool.site.render",
    "sitemap": "feedtool.site.sitemaps",
    "sitemap_paths": "feedtool.site.sitemaps",
    "stylesheet": "feedtool.site.render",
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
