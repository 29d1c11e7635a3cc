"""An article in, where it is shown out: at its site's permalink, or on a page of its own beside the feeds."""

from __future__ import annotations

import re

from feedtool.digests import blake2b
from feedtool.models import Article
from feedtool.slugs import quote_path, slug


def permalink(article: Article, template: str, base_url: str) -> str:
    """Return the template filled in and made absolute; parts are percent-encoded (RFC 3986 section 2.1).

    Days and hours are those of the article's `address_zone`; without one, of the date as it is written.
    """
    from urllib.parse import urljoin  # few sites render their articles elsewhere

    folder, _, name = article.path.rpartition("/")
    stem = _stem(folder, name)
    bare = re.sub(r"^\d{4}-?\d\d-?\d\d-", "", stem) or stem
    moment = article.published.astimezone(article.address_zone) if article.address_zone else article.published
    parts = {
        "year": f"{moment:%Y}",
        "month": f"{moment:%m}",
        "day": f"{moment:%d}",
        "hour": f"{moment:%H}",
        "minute": f"{moment:%M}",
        "second": f"{moment:%S}",
        "slug": bare,
        "stem": stem,
        "path": folder if name.startswith(("index.", "_index.")) and folder else f"{folder}/{stem}".lstrip("/"),
        "category": article.categories[0] if article.categories else "uncategorized",
        "categories": "/".join(article.categories),
        "title": slug(article.title),
    }
    if not article.categories:
        template = template.replace("/{categories}", "")  # As Jekyll does it.
    filled = re.sub(r"\{(\w+)\}", lambda match: quote_path(parts.get(match[1], "")), template)
    return urljoin(base_url, filled)


def page_folder(path: str, identity: str) -> str:
    """Return the folder of an article's own page: its file's name, and a hash of its id that no other article has.

    It stays where it is when the article is retitled or moved and when others come or go.
    """
    folder, _, name = path.rpartition("/")
    stem = _stem(folder, name)
    digest = blake2b(identity.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()
    return f"articles/{slug(stem)}-{digest}"


def _stem(folder: str, name: str) -> str:
    # A page bundle's file says nothing: its folder is the article's name.
    stem = name.rpartition(".")[0] or name
    return folder.rpartition("/")[2] or stem if stem in ("index", "_index") else stem
