"""An article and a site's permalink template in, the address that the site shows the article at, out."""

from __future__ import annotations

import re
from urllib.parse import urljoin

from feedtool.model import Article
from feedtool.slugs import quote_path, slug


def permalink(article: Article, template: str, base_url: str) -> str:
    """Return the template filled in and made absolute; parts are percent-encoded (RFC 3986 section 2.1)."""
    folder, _, name = article.path.rpartition("/")
    stem = name.rpartition(".")[0] or name
    if stem in ("index", "_index"):
        stem = folder.rpartition("/")[2] or stem
    bare = re.sub(r"^\d{4}-?\d\d-?\d\d-", "", stem) or stem
    moment = article.published
    parts = {
        "year": f"{moment:%Y}",
        "month": f"{moment:%m}",
        "day": f"{moment:%d}",
        "hour": f"{moment:%H}",
        "minute": f"{moment:%M}",
        "second": f"{moment:%S}",
        "slug": bare,
        "stem": stem,
        "path": f"{folder}/{stem}" if folder else stem,
        "category": article.categories[0] if article.categories else "uncategorized",
        "title": slug(article.title),
    }
    filled = re.sub(r"\{(\w+)\}", lambda match: quote_path(parts.get(match[1], "")), template)
    return urljoin(base_url, filled)
