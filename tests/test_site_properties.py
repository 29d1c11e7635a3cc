"""Test that any text leaves a page's structure unchanged, runs nothing, and that links lead to existing places."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedtool.models import Author, Category, Enclosure, Entry, Feed, SafeHtml, Source
from feedtool.site import Card, FeedLink, PageRules, article_page, card_of, category_page, index_page
from feedtool.slugs import quote_path, slug

BASE = "https://example.org/repo/"
MOMENT = datetime(2022, 7, 25, 12, tzinfo=UTC)
VOID = frozenset(["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"])
HOSTILE = (
    "<script>alert(1)</script>", "\" onload=\"x", "' onclick='x", "</title><svg onload=x>", "{{ 7*7 }}", "{% raw %}", "<!--", "]]>",
    "\x00\x0b\x1b\ufffe\ud800", "&lt;&#x3c;script&#62;", "javascript:alert(1)", "\u202e\u2066", "a" * 3000, "-->", "`onerror=x`",
)  # fmt: skip
texts = st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(), max_size=40)).map(lambda text: f"x{text}")
WEB = st.sampled_from(["https://example.com/a?b=c&d", f"{BASE}articles/a/", f"{BASE}articles/../x/", "HTTP://e.org/é"])
BAD = st.sampled_from(
    [
        "javascript:alert(1)",
        "data:text/html,<script>",
        "//evil",
        "\tjava\nscript:x",
        'x" onerror="y',
        "vbscript:x",
        "&#106;avascript:x",
    ]
)


class Page(HTMLParser):
    """A page's elements in order, each with the names of its attributes; refuse markup that does not nest."""

    def __init__(self, data: bytes) -> None:
        super().__init__(convert_charrefs=True)
        self.shape: list[tuple[str, tuple[str, ...]]] = []
        self.links: list[tuple[str, str, str]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(data.decode("utf-8"))
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.shape.append((tag, tuple(name for name, _ in attrs)))
        self.links += [(tag, name, value or "") for name, value in attrs if name in ("href", "src", "poster", "srcset")]
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")


def entry(t: str, url: str | None = None) -> Entry:
    return Entry(
        id=t,
        title=t,
        published=MOMENT,
        updated=MOMENT + timedelta(days=9),
        url=url,
        content=SafeHtml("<p>safe</p>"),
        summary=t,
        image=url,
        authors=(Author(name=t, uri=url),),
        categories=(Category(name=t), Category(name=t, scheme="x/tags/")),
        enclosures=(Enclosure(url=url or "https://e.org/a", type=t, title=t),),
        language=None,
        rights=t,
        source=Source(title=t, url=url),
    )


def site(t: str) -> PageRules:
    return PageRules(title=t, base_url=BASE, description=t, author=t, rights=t, language="en")


def feed_of(t: str, path: str = "") -> Feed:
    url = f"{BASE}{quote_path(path)}/" if path else BASE
    return Feed(path=path, id=t, title=f"x{t}", url=url, updated=MOMENT, description=t, rights=t)


def pages(t: str, url: str | None = None) -> Iterator[tuple[str, bytes]]:
    """Yield every kind of page with its path, with the text in every place that accepts one."""
    rules = site(t)
    card = card_of(entry(t, url))._replace(categories=(f"{t}y",))
    folder = f"categories/{slug(t)}"
    links = [FeedLink(t, folder, 3)]
    yield "articles/a/index.html", article_page(entry(t, url), rules, path="articles/a/index.html")
    yield "index.html", index_page(feed_of(t), [card], links, links, [("2022-07-25", 3)], rules, total=3)
    yield f"{folder}/index.html", category_page(feed_of(t, folder), [card], rules, total=3, archives=3)


@given(texts)
@settings(max_examples=150, deadline=None)
def test_text_never_changes_the_page_structure(text: str) -> None:
    for (_, plain), (_, data) in zip(pages("xx"), pages(text), strict=True):
        page = Page(data)
        assert page.shape == Page(plain).shape
        for element, names in page.shape:
            assert element not in ("script", "iframe", "object", "style", "form", "base")
            assert not [name for name in names if name.startswith("on") or name in ("style", "srcdoc")]


@given(texts)
@settings(max_examples=50, deadline=None)
def test_text_is_shown_unchanged(text: str) -> None:
    from feedtool.html import legal_text

    visible = Page(article_page(entry(text), site("S"), path="articles/a/index.html")).text
    assert legal_text(text).replace("\r\n", "\n").replace("\r", "\n") in visible.replace("\r\n", "\n").replace(
        "\r", "\n"
    )


@given(st.one_of(WEB, BAD, texts))
@settings(max_examples=100, deadline=None)
def test_links_lead_only_to_the_web_or_own_files(url: str) -> None:
    for path, data in pages("t", url):
        for element, name, link in Page(data).links:
            if (element, link[:19]) == ("link", "data:image/svg+xml,"):
                continue
            target = urlsplit(urljoin(BASE + quote_path(path), link))
            assert target.scheme in ("http", "https"), (element, name, link)
            assert not any(character in link for character in '\n\t"<> ')


@given(st.text(min_size=1, max_size=12))
@settings(max_examples=60, deadline=None)
def test_internal_links_are_relative_and_exist(name: str) -> None:
    name = f"x{name}"
    existing = {
        *("index.html", "site.css", "feeds.opml", "atom.xml", "rss.xml", "feed.json", "articles/a/index.html"),
        *(f"categories/{slug(name)}/{file}" for file in ("index.html", "atom.xml", "rss.xml", "feed.json")),
        *(f"categories/{slug(name)}/archive/{number}.xml" for number in (1, 2, 3)),
    }
    for path, data in pages(name, f"{BASE}articles/a/"):
        for element, _, link in Page(data).links:
            if element in ("img", "audio", "video") or link.startswith(("data:", "https://aboutfeeds.com/")):
                continue
            target = urljoin(BASE + quote_path(path), link).partition("#")[0]
            assert target.startswith(BASE)
            # Links between pages are relative; only canonical and autodiscovery links, which programs read, are
            # absolute.
            if element != "link" and not link.startswith(f"{BASE}articles/a/"):
                assert not urlsplit(link).scheme
            relative = unquote(target.removeprefix(BASE))
            assert (relative or "index.html") in existing or f"{relative}index.html" in existing, link


def test_autodiscovery_lists_every_format() -> None:
    types = ["application/atom+xml", "application/rss+xml", "application/feed+json"]
    for path, data in pages("t"):
        text = data.decode()
        assert [text.count(f'<link rel="alternate" type="{kind}"') for kind in types] == [
            2 if path.startswith("categories") else 1
        ] * 3


def test_moved_category_folder_is_linked() -> None:
    one = replace(entry("C"), categories=(Category(name="C++"), Category(name="金融")))
    rules = replace(site("S"), moved=(("C++", "c-plus-plus"),))
    links = [link for _, _, link in Page(article_page(one, rules, path="articles/a/index.html")).links]
    assert "../../categories/c-plus-plus/index.html" in links
    assert "../../categories/%E9%87%91%E8%9E%8D/index.html" in links


@pytest.mark.parametrize("url", [f"{BASE}articles/", f"{BASE}articles/a", f"{BASE}articles/a?b/", f"{BASE}x/a/"])
def test_foreign_address_is_unchanged(url: str) -> None:
    card = Card(id="a", title="A", url=url)
    assert ("a", "href", url) in Page(category_page(feed_of("f", "feeds/f"), [card], site("s"), total=1)).links


def test_pages_are_deterministic() -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); from tests.test_site_properties import pages; import hashlib;"
        "print(hashlib.sha256(b''.join(data for _, data in pages('t<金融>'))).hexdigest())"
    )
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    outputs = set()
    for seed, zone, locale in (("1", "UTC", "C"), ("2", "Asia/Shanghai", "de_DE.UTF-8")):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": locale}
        done = subprocess.run([sys.executable, "-c", code, root], env=environment, capture_output=True, check=True)
        outputs.add(done.stdout)
    assert len(outputs) == 1
