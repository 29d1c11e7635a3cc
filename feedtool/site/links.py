"""Make links between pages.

Links between files of the site are relative, so that they work at any address and from disk.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from feedtool import registry
from feedtool.html import safe_url
from feedtool.site.models import PageRules
from feedtool.slugs import quote_path, slug


def root_of(path: str) -> str:
    """Return the relative path from a file to the output folder: "../../" from articles/a/index.html."""
    return "../" * path.count("/")


def address_of(path: str, rules: PageRules) -> str:
    """Return the absolute address of the page at a path in the output folder, without "index.html"."""
    return rules.base_url + quote_path(path.removesuffix("index.html"))


def page_link(folder: str, root: str) -> str:
    """Return the link to a folder's page. It includes index.html, since browsers list the files of a folder on disk."""
    return f"{root}{quote_path(folder)}/index.html" if folder else f"{root}index.html"


def entry_link(url: str | None, rules: PageRules, root: str) -> str | None:
    """Return the link to the page of an entry: relative if it is a page of this site, None if it is not a web address."""
    if url is None:
        return None
    own_articles = rules.base_url + "articles/"
    if url.startswith(own_articles) and url.endswith("/") and len(url) > len(own_articles):
        rest = url[len(rules.base_url) : -1]
        # The addresses of this site's pages are quoted. Any other form is not one of its pages.
        if rest == quote_path(_unquoted(rest)):
            return f"{root}{rest}/index.html"
    return safe_url(url)


def category_link(name: str, rules: PageRules, root: str) -> str | None:
    """Return the link to a category's page, or None if the site has no such pages."""
    return root + _category(name, rules) if rules.index else None


def alternates(title: str, folder: str, rules: PageRules) -> Iterator[tuple[str, str, str]]:
    """Yield (type, title, absolute address) of each document of a feed, for autodiscovery (RFC 4287; RSS Advisory Board)."""
    base = f"{rules.base_url}{quote_path(folder)}/" if folder else rules.base_url
    for form in map(registry.format_of, rules.formats):
        yield form.media_type, f"{title} ({form.title})", base + form.file


def _unquoted(text: str) -> str:
    from urllib.parse import unquote

    return unquote(text, errors="replace")


@lru_cache(maxsize=4096)
def _category(name: str, rules: PageRules) -> str:
    folder = next((folder for moved, folder in rules.moved if moved == name), None)
    return page_link(f"categories/{slug(name) if folder is None else folder}", "")
