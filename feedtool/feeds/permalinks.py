"""Make the address of an article's page: the site's permalink, or the folder of a page beside the feeds."""

from __future__ import annotations

import re

from feedtool.digests import blake2b
from feedtool.models import Article
from feedtool.slugs import quote_path, slug


def permalink(article: Article, template: str, base_url: str) -> str:
    """Return the address from a permalink template, absolute and with percent-encoded parts (RFC 3986 section 2.1).

    Days and hours are in the article's `address_zone`, or as written in its date if it has none.
    """
    from urllib.parse import urljoin  # imported here because few sites need it

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
    """Return the folder of an article's own page, made of its file's name and a hash of its id.

    It does not change if the title or folder of the article changes, or if other articles are added or removed.
    """
    folder, _, name = path.rpartition("/")
    stem = _stem(folder, name)
    digest = blake2b(identity.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()
    return f"articles/{slug(stem)}-{digest}"


def _stem(folder: str, name: str) -> str:
    # The file of a page bundle is called "index" or "_index", so the folder's name identifies the article.
    stem = name.rpartition(".")[0] or name
    return folder.rpartition("/")[2] or stem if stem in ("index", "_index") else stem
