"""The pages of entries in, the same entries with the articles of their pages out, clean; fetches nothing."""

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

MOST = 1_000_000
"""Characters of a page's article; more is none, and would not be sanitized."""
SHORT_SUMMARY = 4_000
_META = re.compile(rb"<meta\b[^>]{0,300}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)
_HEAD = 16_384
_LAYOUT = ("div", "table", "ul", "form", "h1", "h2", "h3")


@dataclass(frozen=True, slots=True, kw_only=True)
class PageJob:
    """A page as it came: `url` is where it was found in the end, `title` that of the entry it is about."""

    key: str
    body: bytes
    url: str
    content_type: str = ""
    title: str = ""
    source: SourceSettings
    html: Html


@dataclass(frozen=True, slots=True, kw_only=True)
class PagesJob:
    """Entries of one source, each with its page's address and the article that `extract` found there."""

    key: str
    pages: tuple[tuple[CleanEntry, str, str], ...]
    source: SourceSettings
    html: Html


def extract(job: PageJob) -> str:
    """Return the article in a page, as HTML that is not safe yet, without the title; "" where there is none.

    A page says by `<meta charset>` what its bytes are where its server does not (HTML section 13.2.3.2).
    """
    import trafilatura
    from trafilatura.utils import load_html

    logging.getLogger("trafilatura").setLevel(logging.CRITICAL + 1)
    # What does not begin as a document does is not looked at.
    tree = load_html(f"<!doctype html><html><body>{_repaired(legal(_decoded(job)), job)}</body></html>")
    if tree is None:
        return ""
    # Pages were laid out with tables once: such a one is taken for data, navigation and all.
    for table in list(tree.iter("table")):
        cells = sum(1 for _ in table.iter("td", "th"))
        if cells < 2 or any(table.find(f".//{tag}") is not None for tag in _LAYOUT):
            for node in list(table.iter("table", "tbody", "thead", "tfoot", "tr", "td", "th")):
                node.tag = "div"
    found = trafilatura.extract(
        tree,
        output_format="html",
        favor_precision=True,
        include_comments=False,
        include_formatting=True,
        include_images=True,
        include_links=True,
        include_tables=True,
    )
    return _untitled(found, job.title) if found and len(found) <= MOST else ""


def clean_pages(job: PagesJob) -> tuple[CleanEntry | None, ...]:
    """Return each entry with its page's text, clean, and its feed's as the summary where it has none; None where the page
    has less text than the feed.

    What repeats in these pages is boilerplate. `digest` stays that of the feed's entry.
    """
    entries = tuple(replace(entry, content=text, content_kind="html", base=url) for entry, url, text in job.pages)
    # The filters have seen the feed's text already, and `extract` what is to be taken out.
    source = replace(job.source, include="", exclude="", limit=None)
    cleaned = clean_entries(RemoteFeed(format="page", entries=entries), source, job.html)
    return tuple(_fuller(entry, page) for (entry, _, _), page in zip(job.pages, cleaned, strict=True))


def prepare() -> None:
    """Load what every page needs, so that workers that are forked later share it; raises ModuleNotFoundError."""
    import nh3  # noqa: F401
    import trafilatura  # noqa: F401


def _decoded(job: PageJob) -> str:
    given = job.content_type
    meta = _META.search(job.body, 0, _HEAD)
    if meta is not None and "charset" not in given.lower():
        given = f"text/html; charset={meta[1].decode()}"
    return text_of(job.body, given).text


def _repaired(html: str, job: PageJob) -> str:
    """Wake lazy pictures and take out what selectors and rules name, while it can still be told."""
    if refusal(html):
        return html
    made, _ = without_named(html, (*job.html.remove, *job.source.remove), [])
    policy = Policy(base_url=job.url, iframe_hosts=job.html.iframe_hosts, proxies=job.html.proxies)
    return repair(made, scan_body(made), policy, [])[0]


def _untitled(html: str, title: str) -> str:
    tree = Tree(html)
    for node in tree.find("h1, h2")[:1]:
        if plain_title(node.text(deep=True)) == plain_title(title):
            tree.discard(node, "the title", title)
    return tree.html()


def _fuller(entry: CleanEntry, page: CleanEntry) -> CleanEntry | None:
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
