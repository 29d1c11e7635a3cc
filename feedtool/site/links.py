"""Paths and addresses in, links out: relative between a site's own files, so that they hold at any address and from disk."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from feedtool.html import safe_url
from feedtool.site.models import PageRules
from feedtool.slugs import quote_path, slug

FILES = {"atom": "atom.xml", "rss": "rss.xml", "json": "feed.json"}
TYPES = {"atom": "application/atom+xml", "rss": "application/rss+xml", "json": "application/feed+json"}
NAMES = {"atom": "Atom", "rss": "RSS", "json": "JSON Feed"}


def root_of(path: str) -> str:
    """Return the way from a file to the output folder: "../../" from articles/a/index.html."""
    return "../" * path.count("/")


def address_of(path: str, rules: PageRules) -> str:
    """Return the absolute address of a page by its path in the output folder; index.html goes without saying."""
    return rules.base_url + quote_path(path.removesuffix("index.html"))


def page_link(folder: str, root: str) -> str:
    """Return the link to the page of a folder. It names index.html: from disk, a folder shows as a list of files."""
    return f"{root}{quote_path(folder)}/index.html" if folder else f"{root}index.html"


def shown_link(url: str | None, rules: PageRules, root: str) -> str | None:
    """Return the link to where an entry is read: relative when that is a page of ours, None when it is no web address."""
    if url is None:
        return None
    ours = rules.base_url + "articles/"
    if url.startswith(ours) and url.endswith("/") and len(url) > len(ours):
        rest = url[len(rules.base_url) : -1]
        # Quoted already by whoever made the address; anything else is not one of our pages.
        if rest == quote_path(_unquoted(rest)):
            return f"{root}{rest}/index.html"
    return safe_url(url)


def category_link(name: str, rules: PageRules, root: str) -> str | None:
    """Return the link to a category's page, None when the site has no such pages."""
    return root + _category(name, rules) if rules.index else None


def alternates(title: str, folder: str, rules: PageRules) -> Iterator[tuple[str, str, str]]:
    """Yield (type, title, absolute address) of a feed's documents, for autodiscovery (RFC 4287; RSS Advisory Board)."""
    base = f"{rules.base_url}{quote_path(folder)}/" if folder else rules.base_url
    for form in rules.formats:
        yield TYPES[form], f"{title} ({NAMES[form]})", base + FILES[form]


def _unquoted(text: str) -> str:
    from urllib.parse import unquote

    return unquote(text, errors="replace")


@lru_cache(maxsize=4096)
def _category(name: str, rules: PageRules) -> str:
    folder = next((folder for moved, folder in rules.moved if moved == name), None)
    return page_link(f"categories/{slug(name) if folder is None else folder}", "")
