"""Test feeds of small entries and heads, and dates, against recorded results (see `tests/support/recorded.py`)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from feedtool.articles import Head
from feedtool.config import Settings
from feedtool.config.parse import parse_settings
from feedtool.dates.parse import date_in_name, iso, parse_date, rfc822
from feedtool.dates.zones import full_year, is_zone_name, load_zone, offset_zone, plausible, zone_called
from feedtool.feeds.atom_ids import any_odd, is_odd
from feedtool.feeds.entries import Explained, entry_of
from feedtool.feeds.formats import atom, jsonfeed, opml, rss
from feedtool.feeds.metadata import assign_folders, base_url, feed_of
from feedtool.feeds.permalinks import page_folder, permalink
from feedtool.feeds.selection import Selection
from feedtool.feeds.values import (
    address,
    atom_id,
    author_name,
    email_address,
    entry_id,
    language_tag,
    legal_bytes,
    media_type,
    reads_as_html,
    reference,
    web_address,
)
from feedtool.feeds.xml_writer import attributes_of, banner, content, element, encoded, line, markup, plain_line
from feedtool.models import Enclosure
from tests.support.inputs.feeds import (
    ADDRESSES,
    APPLE,
    ARTICLE,
    ARTICLES,
    AUTHORS,
    BARE,
    CATEGORY_SETTINGS,
    DATES,
    ENTRIES,
    FEEDS,
    FULL,
    IDS,
    MOMENTS,
    MONTHS,
    NAIVE,
    NAMES,
    PAGES,
    PATHS,
    PLAIN,
    RICH,
    SELECTIONS,
    SHANGHAI,
    SITE,
    SITE_ZONES,
    TEMPLATES,
    TEXTS,
    WEEKDAYS,
    ZONES,
)
from tests.support.recorded import Table, check


def entries_as(kind: str) -> str:
    entry = ENTRIES[kind]
    return "\n".join(b"".join(output.entry(entry)).decode() for output in (atom, jsonfeed, rss))


def feeds_as(kind: str) -> list[str]:
    one, entry = FEEDS[kind], ENTRIES["enclosure 0"]
    archived = replace(one, archive=one.archive or 7)
    documents = [
        b"".join(atom.feed(one, [atom.entry(PLAIN), atom.entry(PLAIN)])), b"".join(atom.feed(archived, [])),
        b"".join(jsonfeed.feed(one, [])), b"".join(jsonfeed.feed(one, [jsonfeed.entry(PLAIN), jsonfeed.entry(FULL)])),
        b"".join(rss.feed(one, [rss.entry(entry), rss.entry(PLAIN)])), opml.outline("T & <b>", [one, one], file="rss.xml"),
    ]  # fmt: skip
    return [line for one in documents for line in [*one.decode().splitlines(), ""]]


def is_podcast(name: str) -> bool:
    one = replace(RICH, category=None, podcast_category=name)
    return b"<itunes:category" in b"".join(rss.feed(one, []))


def entry_with_problems(kind: str) -> list[Any]:
    article, rules, url = ARTICLES[kind]
    explained = Explained()
    entry, problems = entry_of(article, rules, url=url, explained=explained)
    assert entry_of(article, rules, url=url) == (entry, problems)
    return [entry, problems, explained]


def address_of(template: str, path: str, *more: Any) -> str:
    article = replace(ARTICLE, path=path, categories=tuple(more), address_zone=UTC if more else None)
    return permalink(article, template, "https://e.org/base/")


def head(at: int, identity: str, categories: tuple[str, ...] = (), **more: Any) -> tuple[Any, ...]:
    """Return a head without its path."""
    values = {"updated": at, "tags": (), "authors": (), "source": "", "title": "", "hidden": 0, "linked": False} | more
    return (
        identity,
        at,
        values["updated"],
        categories,
        values["tags"],
        values["authors"],
        values["source"],
        values["title"],
        values["hidden"],
        values["linked"],
        (),
    )


HEADS = [
    head(100, "a", ("x",)), head(200, "b", ("x", "y")), head(86_400, "c", ("y",), title="A title", authors=("Z",), source="S"),
        head(300, "d", (), hidden=1), head(400, "e", (), hidden=2), head(500, "f", (), hidden=(600, None)),
        head(510, "g", (), hidden=(None, 700)), head(520, "h", (), hidden=(None, 450)),
    head(900, "i", ("x",), tags=("t",)), head(100, "a", ("z",)), head(90, "a", ("y",)), head(0, "", ("x",)),
        head(950, "not a uri", ("x",), linked=True), head(300, "j", (), hidden=(250, 800)),
        head(520, "k", (), hidden=(100, 500)), head(500, "l", (), linked=True), head(500, "m", ("x",)),
]  # fmt: skip


def settings_of(more: str = "", archive: bool = False, pages: str = "", site: str = SITE) -> Settings:
    return parse_settings(
        site + (f"archive = {str(archive).lower()}\n" if "[feeds]" in site else "") + PAGES[pages] + more
    )


def results_of_selection(more: str, archive: bool, pages: str, options: dict[str, Any]) -> Any:
    """Return the results of a selection: all heads are added, then used again to resolve duplicate ids."""
    settings = settings_of(more, archive, pages)
    one = Selection(settings, **options)
    names = [(f"{number}.md",) for number in range(len(HEADS))]
    one.add("p/", names, HEADS)
    duplicate_hashes = one.duplicate_hashes()
    heads = [Head("p/" + name[0], *row) for name, row in zip(names, HEADS, strict=True)]
    one.resolve_duplicates(heads, duplicate_hashes)
    feeds = list(one.finish())
    assign_folders(feeds, settings)
    return {
        "feeds": [[feed.path, feed.kind, feed.name, feed.limit, feed.total, [article.path for article in feed.articles],
        [article.path for article in feed.all_articles]] for feed in feeds],
        "duplicate_hashes": len(duplicate_hashes), "duplicates": one.duplicates, "conflicts": one.conflicts,
        "articles": one.articles, "days": one.days, "paged": sorted(one.paged), "has_odd_ids": one.has_odd_ids,
        "next_change": one.next_change, "has_gaps": one.has_gaps(feeds),
        "ids": sorted(one.published_ids(["a", "b", "d", "e", "f", "i", "nothing", "nowhere"])),
        "shown": [head.path for head in one.shown(heads)],
    }  # fmt: skip


def feeds_of_selection(more: str, pages: str, site: str = SITE) -> Any:
    """Return the metadata of all feeds."""
    settings = settings_of(more, pages=pages, site=site)
    one = Selection(settings)
    one.add("", [(f"{number}.md",) for number in range(len(HEADS))], HEADS)
    feeds = list(one.finish())
    assign_folders(feeds, settings)
    return [base_url(settings), *(feed_of(feed, 86_400, settings, audio=feed.kind == "site") for feed in feeds)]


def test_ten_thousand_groups_of_categories_are_counted() -> None:
    one = Selection(settings_of())
    heads = [head(number, f"tag:{number}", ("all", str(number % 10_001))) for number in range(10_003)]
    one.add("", [(f"{number}.md",) for number in range(10_003)], heads)
    assert len(one._groups) == 3
    totals = {feed.name: feed.total for feed in one.finish()}
    assert (totals[""], totals["all"], totals["0"], totals["1"], totals["2"]) == (10_003, 10_003, 2, 2, 1)


def test_duplicate_ids_can_leave_gaps_in_a_feed() -> None:
    one = Selection(settings_of())
    heads = [head(number, "tag:same", ("x",)) for number in range(1, 13)] + [
        head(0, f"tag:{number}") for number in range(3)
    ]
    names = [(f"{number}.md",) for number in range(15)]
    one.add("", names, heads)
    one.resolve_duplicates(
        [Head(name[0], *row) for name, row in zip(names, heads, strict=True)], one.duplicate_hashes()
    )
    feeds = list(one.finish())
    assert [(feed.name, feed.total, len(feed.articles)) for feed in feeds] == [("", 4, 1), ("x", 1, 1)]
    assert one.has_gaps(feeds)


def offsets_of_zone(name: str) -> dict[str, Any]:
    """Return the summer offset of an abbreviation for sites in several zones, or one offset if they are all equal."""
    offsets = {}
    for site, zone in SITE_ZONES.items():
        named_zone = zone_called(name, NAIVE, zone)
        offsets[site] = str(named_zone and named_zone.utcoffset(NAIVE))
    return offsets if len(set(offsets.values())) > 1 else {"everywhere": offsets["UTC"]}


TABLES = {
    "is_odd": Table(is_odd, IDS),
    "any_odd": Table(lambda ids: any_odd(ids), [([one],) for one in IDS] + [(["tag:a", one],) for one in IDS] + [([],)]),
    "address": Table(lambda text: [address(text), web_address(text), reference(text)], ADDRESSES),
    "ids": Table(lambda text: [entry_id(text), atom_id(text)], ADDRESSES),
    "language_tag": Table(language_tag, ["", "en", "zh_CN", " zh-Hans-CN ", "e", "abcd", "en-", "en-abcdefghi"]),
    "author": Table(lambda number: [author_name(AUTHORS[number]), email_address(AUTHORS[number])], range(len(AUTHORS))),
    "media_type": Table(lambda kind: media_type(Enclosure(url="x", type=kind)),
        ["", "a/b", " A/B ; x=y", "a/b/c", "a b/c", "a+b/c", "application/atom+xml"]),
    "texts": Table(lambda text: [markup(text), reads_as_html(text), plain_line("t", text), line("t", text), legal_bytes(text),
        content(text), encoded(text)], TEXTS),
    "elements": Table(lambda inner, attributes: [element("t", inner, attributes), attributes_of(attributes)],
        [("", None), ("x", {}), ("", {"a": "b & \"c\" <d>", "e": "f\r\n\tg"})]),
    "banner": Table(lambda language, url: banner(replace(BARE, language=language), url),
        [("en", "https://e.org/a&b"), ("ZH-cn", "x"), (None, "x")]),
    "entries": Table(entries_as, ENTRIES),
    "feeds": Table(feeds_as, FEEDS),
    "is_podcast": Table(is_podcast, APPLE),
    "entry_of": Table(entry_with_problems, ARTICLES),
    "selection": Table(results_of_selection, SELECTIONS),
    "feed_of": Table(feeds_of_selection, [(CATEGORY_SETTINGS, ""), ("", "no index"), (CATEGORY_SETTINGS, "no index"), ("", "", ""),
        ("", "", "[site]\nurl = 'https://e.org/a%20b/'\ntitle = 'T'\n")]),
    "permalink": Table(address_of, [*((template, path) for template in TEMPLATES for path in PATHS[:1]),
        *(("{path}|{slug}|{stem}", path) for path in PATHS), *((template, PATHS[0], "c d", "e") for template in TEMPLATES)]),
    "page_folder": Table(lambda path: page_folder(path, "tag:x\ud800"), PATHS),
    "iso": Table(lambda moment: [iso(moment), rfc822(moment)], MOMENTS),
    "date_in_name": Table(lambda name: date_in_name(name, zone=SHANGHAI), NAMES),
    "parse_date": Table(lambda text: parse_date(text, zone=SHANGHAI), DATES),
    "parse_date_by_default": Table(lambda text: [parse_date(text), parse_date(text, day_first=True)],
        ["5/7/2022", "5-7-2022", "5.7.2022", "2022-07-25", "25/7/2022", "7/25/2022 20:11 CST"]),
    "months": Table(lambda name: [str(parse_date(f"5 {name} 2022"))[:10], str(parse_date(f"5 {name[:4]} 2022"))[:10]], MONTHS),
    "weekdays": Table(lambda name: [str(parse_date(f"{name}, 5 July 2022"))[:10],
        str(parse_date(f"{name[:3]} 5 July 2022"))[:10]], WEEKDAYS),
    "zone_called": Table(offsets_of_zone, ZONES),
    "is_zone_name": Table(is_zone_name, ZONES),
    "load_zone": Table(lambda name: str(load_zone(name)),
        ["UTC", "GMT", "Z", "Etc/UTC", "+08:00", "UTC-5", "GMT+0530", "+15:00", "+15:01", "+08:60", "-16", "Asia/Shanghai",
        "asia/shanghai", "Asia/Shanghia", "nothing at all", "localtime", "", "/etc/x", "+8:0"]),
    "full_year": Table(full_year, ["00", "49", "50", "99", "999", "122", "2022"]),
    "offset_zone": Table(lambda *row: str(offset_zone(*row)),
        [("+", "8", None), ("-", "08", "30"), ("+", "15", "0"), ("+", "15", "1"), ("-", "15", "0"), ("-", "15", "1"),
        ("+", "8", "59"), ("+", "8", "60"), ("+", "0", "")]),
    "plausible": Table(lambda year, hours: plausible(datetime(year, 1, 1, tzinfo=timezone(timedelta(hours=hours)))),
        [(999, 0), (1000, 0), (2199, 0), (2200, 0), (2022, 15), (2022, 16), (2022, -15), (2022, -16)]),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_results_equal_the_recorded_ones(name: str, accept: bool) -> None:
    check(f"feeds/{name}", TABLES[name], accept)
