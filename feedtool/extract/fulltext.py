"""Extract articles from the pages of entries, and clean them; pages are fetched elsewhere."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, replace

from feedtool.config import Html, SourceSettings
from feedtool.feedparse.charset import text_of
from feedtool.feedparse.clean import CleanEntry, clean_entries, without_named
from feedtool.feedparse.models import RemoteFeed
from feedtool.html import Policy, plain_text
from feedtool.html.limits import refusal
from feedtool.html.repair import repair, scan_body
from feedtool.html.sanitize import prepare_html as legal
from feedtool.html.tree import Tree
from feedtool.similarity import plain_title

MAX_ARTICLE = 1_000_000
"""The most characters of an article; a longer text is not an article, and would not be sanitized."""
SHORT_SUMMARY = 4_000
_META = re.compile(rb"<meta\b[^>]{0,300}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)
_HEAD = 16_384
_LAYOUT = ("div", "table", "ul", "form", "h1", "h2", "h3")


@dataclass(frozen=True, slots=True, kw_only=True)
class PageJob:
    """A page as received: `url` is its address after redirects, `title` the title of its entry."""

    key: str
    body: bytes
    url: str
    content_type: str = ""
    title: str = ""
    source: SourceSettings
    html: Html


@dataclass(frozen=True, slots=True, kw_only=True)
class PagesJob:
    """Entries of one source, each with its page's address and the article that `extract` returned for it."""

    key: str
    pages: tuple[tuple[CleanEntry, str, str], ...]
    source: SourceSettings
    html: Html


def extract(job: PageJob) -> str:
    """Return the article in a page as unsanitized HTML, without the title; "" if there is none.

    `<meta charset>` gives the encoding if the server does not (HTML section 13.2.3.2).
    """
    import trafilatura
    from trafilatura.utils import load_html

    logging.getLogger("trafilatura").setLevel(logging.CRITICAL + 1)
    # trafilatura rejects input that does not start like a document.
    tree = load_html(f"<!doctype html><html><body>{_repair(legal(_decode(job)), job)}</body></html>")
    if tree is None:
        return ""
    # Old pages use tables for their layout; trafilatura would keep such a table as data, including the navigation.
    for table in list(tree.iter("table")):
        cells = sum(1 for _ in table.iter("td", "th"))
        if cells < 2 or any(table.find(f".//{tag}") is not None for tag in _LAYOUT):
            for node in list(table.iter("table", "tbody", "thead", "tfoot", "tr", "td", "th")):
                node.tag = "div"
    article = trafilatura.extract(
        tree,
        output_format="html",
        favor_precision=True,
        include_comments=False,
        include_formatting=True,
        include_images=True,
        include_links=True,
        include_tables=True,
    )
    return _without_title(article, job.title) if article and len(article) <= MAX_ARTICLE else ""


def clean_pages(job: PagesJob) -> tuple[CleanEntry | None, ...]:
    """Return each entry with the clean text of its page, or None if the page has less text than the feed.

    An entry without a summary gets the feed's text as its summary. Parts that repeat in these pages are boilerplate.
    `digest` stays that of the feed's entry.
    """
    entries = tuple(replace(entry, content=text, content_kind="html", base=url) for entry, url, text in job.pages)
    # The filters were applied to the feed's text, and `extract` has applied the `remove` selectors.
    source = replace(job.source, include="", exclude="", limit=None)
    cleaned = clean_entries(RemoteFeed(format="page", entries=entries), source, job.html)
    return tuple(_if_longer(entry, page) for (entry, _, _), page in zip(job.pages, cleaned, strict=True))


def prepare() -> None:
    """Import the modules that every page needs, so that workers forked later share them. Raise ModuleNotFoundError."""
    import nh3  # noqa: F401
    import trafilatura  # noqa: F401


def _decode(job: PageJob) -> str:
    content_type = job.content_type
    meta = _META.search(job.body, 0, _HEAD)
    if meta is not None and "charset" not in content_type.lower():
        content_type = f"text/html; charset={meta[1].decode()}"
    return text_of(job.body, content_type).text


def _repair(html: str, job: PageJob) -> str:
    """Resolve lazy pictures and remove what selectors and rules match, while the markup still has classes and ids."""
    if refusal(html):
        return html
    kept, _ = without_named(html, (*job.html.remove, *job.source.remove), [])
    policy = Policy(base_url=job.url, iframe_hosts=job.html.iframe_hosts, proxies=job.html.proxies)
    return repair(kept, scan_body(kept), policy, [])[0]


def _without_title(html: str, title: str) -> str:
    tree = Tree(html)
    for node in tree.find("h1, h2")[:1]:
        if plain_title(node.text(deep=True)) == plain_title(title):
            tree.discard(node, "the title", title)
    return tree.html()


def _if_longer(entry: CleanEntry, page: CleanEntry) -> CleanEntry | None:
    if len(plain_text(page.html)) < max(1, len(plain_text(entry.html))):
        return None
    summary = entry.summary or (str(entry.html) if len(entry.html) <= SHORT_SUMMARY else "")
    return replace(
        page,
        summary=summary,
        thumbnail=page.thumbnail or entry.thumbnail,
        base=entry.base,
        digest=entry.digest,
        removals=(*entry.removals, *page.removals),
    )
