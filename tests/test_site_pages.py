"""Test HTML pages against the files in `pages_cases`, and overrides, texts, charts and sitemaps."""

from __future__ import annotations

import marshal
import pickle
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from lxml import etree

from feedtool.errors import SettingsError
from feedtool.models import Author, Category, Enclosure, Entry, Feed, SafeHtml, Source
from feedtool.site import (
    CONTENT_SECURITY_POLICY,
    Card,
    FeedLink,
    PageRules,
    article_page,
    card_of,
    category_page,
    index_page,
    sitemap,
    sitemap_paths,
    stylesheet,
)
from feedtool.site.chart import chart_of
from feedtool.site.strings import CHINESE, ENGLISH, count_text, day_text, direction, page_strings, size_text, tag

CASES = Path(__file__).parent / "pages_cases"
MOMENT = datetime.fromisoformat("2022-07-25T20:11:30+08:00")
LATER = datetime.fromisoformat("2022-08-01T09:00:00+08:00")
BASE = "https://example.org/feeds/"

BARE = PageRules(title="Notes", base_url=BASE)
CHINESE_SITE = PageRules(
    title="示例站点",
    base_url=BASE,
    description="金融与 <科技>",
    language="zh-CN",
    author="编辑部",
    rights="© 2022",
    icon="https://example.org/icon.png",
    theme=(("accent", "#0a5"), ("dark-accent", "#5fa")),
    moved=(("C++", "cpp"),),
)
ARABIC_SITE = replace(BARE, title="ملاحظات", language="ar", formats=("rss",))
FULL = Entry(
    id="tag:example.org,2022:a",
    title="“以快制快” & <b>",
    published=MOMENT,
    updated=LATER,
    url=f"{BASE}articles/%E7%96%AB%E6%83%85/",
    content=SafeHtml("<p>正文 &amp; <strong>more</strong></p>\n<pre><code>x &lt; y</code></pre>"),
    summary='说 "明" & more',
    image="https://example.org/a.png",
    authors=(Author(name="新浪财经", uri="https://example.org/who"), Author(name="Ada & Co")),
    categories=(
        Category(name="金融", scheme=f"{BASE}categories/"),
        Category(name="C++", scheme=f"{BASE}categories/"),
        Category(name="标签", scheme=f"{BASE}tags/"),
    ),
    enclosures=(
        Enclosure(url="https://example.org/e/1.mp3?x=1&y=2", type="audio/mpeg", length=12_345_678),
        Enclosure(url="https://example.org/a.pdf", type="application/pdf", title="全文"),
    ),
    language="zh_Hans",
    source=Source(title="来源 <x>", url="https://example.org/feed.xml"),
)
PLAIN = Entry(id="b", title="A walk", published=MOMENT, updated=MOMENT, content=SafeHtml("<p>Text</p>"))
ELSEWHERE = replace(
    PLAIN, url="https://example.com/walk?a=1&b=2", language="he", title="הליכה", source=Source(title="Elsewhere")
)
SITE_FEED = Feed(
    path="", id="f", title="示例站点", url=BASE, updated=MOMENT, description="金融与 <科技>", prev_archive=2
)
CATEGORY_FEED = Feed(
    path="categories/金融",
    id="g",
    title="金融 - 示例站点",
    url=f"{BASE}categories/%E9%87%91%E8%9E%8D/",
    updated=MOMENT,
    image="https://example.org/c.png",
)
CARDS = [card_of(FULL), card_of(PLAIN), card_of(ELSEWHERE), Card(id="x", title="", summary="Only a summary")]
LINKS = [FeedLink(f"第 {number}", f"categories/{number}", number * 700) for number in range(1, 27)]
DAYS = [("2022-07-25", 3), ("2022-07-01", 12), ("2022-01-01", 500)]

PAGES: dict[str, Callable[[], bytes]] = {
    "article-full.html": lambda: article_page(FULL, CHINESE_SITE, path="articles/疫情/index.html"),
    "article-plain.html": lambda: article_page(PLAIN, BARE, path="articles/walk/index.html"),
    "article-elsewhere.html": lambda: article_page(ELSEWHERE, ARABIC_SITE, path="articles/walk/index.html"),
    "article-without-indexes.html": lambda: article_page(
        FULL, replace(BARE, index=False), path="articles/walk/index.html"
    ),
    "index-full.html": lambda: index_page(
        SITE_FEED, CARDS, LINKS, [FeedLink("上海", "feeds/上海", 1)], DAYS, CHINESE_SITE, total=19_169
    ),
    "index-empty.html": lambda: index_page(
        replace(SITE_FEED, title="Notes", description="", prev_archive=None), [], [], [], [], BARE, total=0
    ),
    "category.html": lambda: category_page(CATEGORY_FEED, CARDS[:2], CHINESE_SITE, total=1, archives=40),
    "category-right-to-left.html": lambda: category_page(
        replace(CATEGORY_FEED, title="مقالات"), CARDS[:1], ARABIC_SITE, total=2, archives=9
    ),
    "themed.css": lambda: stylesheet(CHINESE_SITE)[:200],
    "sitemap.xml": lambda: sitemap([(BASE, "2022-07-25T20:11:30+08:00"), (f"{BASE}?a&b", None)], base_url=BASE)[0][1],
}


@pytest.mark.parametrize("name", PAGES)
def test_page_matches_its_case_file(name: str, accept: bool) -> None:
    data, expected = PAGES[name](), CASES / name
    if accept:
        expected.write_bytes(data)
    assert data.decode() == expected.read_bytes().decode()


def test_every_page_forbids_scripts_first() -> None:
    for name in PAGES:
        if name.endswith(".html"):
            head = PAGES[name]().decode().partition("<link")[0]
            assert f'<meta http-equiv="Content-Security-Policy" content="{CONTENT_SECURITY_POLICY}">' in head
    assert "default-src 'none'" in CONTENT_SECURITY_POLICY
    assert "script" not in CONTENT_SECURITY_POLICY


def test_rules_and_cards_can_be_serialised() -> None:
    assert pickle.loads(pickle.dumps(CHINESE_SITE)) == CHINESE_SITE
    assert hash(pickle.loads(pickle.dumps(CHINESE_SITE))) == hash(CHINESE_SITE)
    for card in CARDS:
        assert Card(*marshal.loads(marshal.dumps(tuple(card)))) == card


def test_site_template_overrides_and_extends() -> None:
    own = '{% extends "feedtool/article.html" %}{% block footer %}<footer>{{ title }}</footer>{% endblock %}'
    rules = replace(BARE, overrides=(("article.html", own),))
    page = article_page(replace(PLAIN, title="<A>"), rules, path="articles/a/index.html").decode()
    assert "<footer>&lt;A&gt;</footer>" in page
    assert "<p>Text</p>" in page
    assert b"<footer>" not in category_page(CATEGORY_FEED, [], rules, total=0)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("line\n{% if %}", "templates/article.html:2: "),
        ("{{ nothing }}", "templates/article.html: 'nothing' is undefined"),
        ("{{ ''.__class__.__mro__ }}", "templates/article.html: access to attribute '__class__'"),
        ("{{ authors.append(1) }}", "templates/article.html: "),
        ("{% include 'no.html' %}", "templates/article.html: there is no template 'no.html'"),
        ("{% include 'article.html' %}", "templates/article.html: "),
        ("{{ 1 / 0 }}", "templates/article.html: division by zero"),
    ],
)
def test_invalid_template_is_reported(text: str, where: str) -> None:
    with pytest.raises(SettingsError) as caught:
        article_page(PLAIN, replace(BARE, overrides=(("article.html", text),)), path="articles/a/index.html")
    assert str(caught.value).startswith(where)
    assert caught.value.hint


def test_site_stylesheet_keeps_the_theme() -> None:
    rules = replace(CHINESE_SITE, overrides=(("site.css", "p { color: red }\n"),))
    lines = stylesheet(rules).decode().splitlines()
    assert lines[0] == '@charset "utf-8";'
    assert lines[2:] == [
        ":root {", "  --theme-accent: #0a5;", "  --theme-dark-accent: #5fa;", "}", "", "p { color: red }"
    ]  # fmt: skip


def test_stylesheet_uses_every_theme_colour() -> None:
    from feedtool.config.schema import THEME_NAMES

    css = stylesheet(BARE).decode()
    assert [name for name in THEME_NAMES if f"var(--theme-{name}, " not in css] == []


def test_string_tables_have_equal_keys_and_fields() -> None:
    import re

    assert list(ENGLISH) == list(CHINESE)
    for name in ENGLISH:
        assert sorted(re.findall(r"{\w*}", ENGLISH[name])) == sorted(re.findall(r"{\w*}", CHINESE[name])), name
    assert set(page_strings("ar")) == set(ENGLISH)


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        *(("", "ltr"), ("en", "ltr"), ("zh-CN", "ltr"), ("ar", "rtl"), ("AR-eg", "rtl"), ("he", "rtl"), ("fa", "rtl")),
        *(("ur", "rtl"), ("yi", "rtl"), ("az-Arab", "rtl"), ("pa-Arab-PK", "rtl"), ("ur-Latn", "ltr"), ("are", "ltr")),
    ],
)
def test_language_has_the_direction_of_its_script(language: str, expected: str) -> None:
    assert direction(language) == expected


def test_dates_counts_and_sizes_ignore_the_locale() -> None:
    zh, en = page_strings("zh-TW"), page_strings("fr")
    assert [day_text(MOMENT, zh), day_text(MOMENT, en)] == ["2022年7月25日", "25 July 2022"]
    assert [day_text(MOMENT.replace(month=month), en).split()[1][:3] for month in (1, 5, 12)] == ["Jan", "May", "Dec"]
    assert [count_text(n, en) for n in (0, 1, 2, 19_169)] == [
        "0 articles",
        "1 article",
        "2 articles",
        "19,169 articles",
    ]
    assert count_text(1, zh) == "1 篇文章"
    assert [size_text(n) for n in (0, 999, 1000, 12_345_678, 10**15)] == [
        "0 B",
        "999 B",
        "1.0 kB",
        "12.3 MB",
        "1000 TB",
    ]
    assert [tag(text) for text in ("zh_CN", " en ", "", None, 'x"', "12")] == ["zh-CN", "en", "", "", "", ""]


def test_chart_covers_the_last_sixty_days() -> None:
    chart = chart_of([("2022-07-25", 1), ("2022-05-27", 4), ("2022-05-26", 90), ("2022-07-25", 1)], ENGLISH)
    assert chart is not None
    assert [(bar.x, bar.height, bar.label) for bar in chart.bars] == [
        (0, 96, "27 May 2022: 4 articles"),
        (590, 48, "25 July 2022: 2 articles"),
    ]
    assert chart.text == "27 May 2022 to 25 July 2022: 6 articles, at most 4 on 27 May 2022."
    assert chart_of([], ENGLISH) is None
    assert chart_of([("2022-07-25", 0)], ENGLISH) is None
    assert chart_of([("0001-01-02", 10**9), ("0001-01-01", 1)], ENGLISH).bars[0].height == 3  # type: ignore[union-attr]


@pytest.mark.parametrize("count", [0, 1, 50_000, 50_001, 100_001])
def test_sitemap_files_hold_at_most_50000_addresses(count: int) -> None:
    pages = [(f"{BASE}{number}", "2022-01-01" if number < 9 else None) for number in range(count)]
    files = dict(sitemap(pages, base_url=BASE))
    assert list(files) == sitemap_paths(count)
    locations = {path: [one.text for one in etree.fromstring(data).iter("{*}loc")] for path, data in files.items()}
    if len(files) > 1:
        assert locations.pop("sitemap.xml") == [BASE + path for path in locations]
    assert max(map(len, locations.values())) <= 50_000
    assert [url for urls in locations.values() for url in urls] == [url for url, _ in pages]


@pytest.mark.parametrize(
    ("language", "title", "expected"),
    [
        ("zh-CN", "金融", True),
        ("ja", "ひと", True),
        ("zh", "Hello", False),
        ("ko", "漢字", False),
        ("en", "金融", False),
    ],
)
def test_only_chinese_and_japanese_is_justified(language: str, title: str, expected: bool) -> None:
    data = article_page(replace(PLAIN, title=title, language=language), BARE, path="articles/a/index.html")
    assert (b'class="prose even"' in data) is expected
