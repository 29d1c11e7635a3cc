"""Test the selection of feeds, their articles, folders and metadata against a plain implementation of the rules."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedtool.articles import Head
from feedtool.config import Settings, parse_settings
from feedtool.feeds import selection as feeds
from feedtool.feeds.atom_ids import is_odd
from feedtool.feeds.metadata import assign_folders, base_url, feed_id, feed_of
from feedtool.feeds.selection import FeedSelection, IdConflict, Selection, hash_of

DAY = 86_400
JULY = 1_658_707_200  # 2022-07-25T00:00:00Z
SITE = '[site]\ntitle = "T"\nurl = "https://example.org/"\n'
QUERIES = """
[feeds.select.plain]
tags = ["x"]
[feeds.select.few]
limit = 1
categories = ["A", "B"]
authors = ["Ada"]
[feeds.select.since]
since = "2022-07-25"
[feeds.select.titles]
title_match = "[02468]$"
sources = ["S", "T"]
[feeds.select.not]
sources = ["S"]
not = { tags = ["y"], categories = ["B"] }
"""


@lru_cache
def settings_of(text: str) -> Settings:
    return parse_settings(SITE + text, file="feedtool.toml", environment={})


def head(path: str, identity: str, published: int, **more: Any) -> Head:
    facts = {"categories": (), "tags": (), "authors": (), "source": "", "title": "", "hidden": False, "linked": False}
    return Head(path=path, id=identity, published=published, updated=published, problems=(), **{**facts, **more})


def select(
    heads: list[Head], loaded: Settings, *, drafts: bool = False, now: int | None = None, parts: int = 1
) -> tuple[Selection, list[FeedSelection]]:
    """Return the selection and its feeds, computed as in a build, or in several parts that are merged."""

    def filled(included: list[Head]) -> Selection:
        selections = [Selection(loaded, drafts=drafts, now=now) for _ in range(parts)]
        for number, one in enumerate(included):
            folder, _, name = one.path.rpartition("/")
            selections[number % parts].add(f"{folder}/" if folder else "", [(name,)], [one[1:]])
        selection = selections.pop()
        while selections:
            selection.merge(selections.pop())
        return selection

    selection = filled(heads)
    if doubled := selection.duplicate_hashes():
        selection.resolve_duplicates(heads, doubled)
    feed_list = list(selection.finish())
    if selection.has_gaps(feed_list):
        again = filled([one for one in heads if one.path not in selection.duplicates])
        feed_list = list(again.finish())
    return selection, feed_list


def matches(one: Head, query: dict[str, Any]) -> bool:
    """Return True if a query selects the article, by the rules in the README."""
    for key, names in (
        ("categories", one.categories),
        ("tags", one.tags),
        ("authors", one.authors),
        ("sources", (one.source,)),
    ):
        if query.get(key) and not set(query[key]) & set(names):
            return False
    if "since" in query and one.published < query["since"]:
        return False
    if "title_match" in query and not re.search(query["title_match"], one.title):
        return False
    return "not" not in query or not matches(one, query["not"])


RULES: dict[str, dict[str, Any]] = {
    "plain": {"tags": ["x"]},
    "few": {"categories": ["A", "B"], "authors": ["Ada"]},
    "since": {"since": JULY},
    "titles": {"title_match": "[02468]$", "sources": ["S", "T"]},
    "not": {"sources": ["S"], "not": {"tags": ["y"], "categories": ["B"]}},
}

names = st.lists(st.sampled_from("ABC"), unique=True, max_size=3).map(tuple)
heads = st.lists(
    st.builds(
        head,
        st.just(""),
        st.sampled_from(["", "urn:1", "urn:2", "urn:3"]) | st.integers(4, 99).map("urn:{}".format),
        st.integers(-3, 3).map(lambda days: JULY + days * DAY) | st.integers(JULY - 5, JULY + 5),
        categories=names,
        tags=st.lists(st.sampled_from("xy"), unique=True).map(tuple),
        authors=st.sampled_from([(), ("Ada",), ("Bo", "Ada"), ("Bo",)]),
        source=st.sampled_from(["", "S", "T", "U"]),
        title=st.integers(0, 9).map(str),
        hidden=st.sampled_from([False, False, False, True]),
        linked=st.booleans(),
    ),
    max_size=30,
).map(
    lambda listed_heads: [
        one._replace(path=f"{'ab'[number % 2]}/{number:02}.md") for number, one in enumerate(listed_heads)
    ]
)


@settings(max_examples=150, deadline=None)
@given(
    heads,
    st.integers(1, 4),
    st.booleans(),
    st.booleans(),
    st.sampled_from([None, JULY, JULY + 2 * DAY]),
    st.sampled_from([0, 1, 8]),
    st.integers(1, 4),
)
def test_feed_holds_its_newest_articles(
    listed: list[Head], limit: int, archive: bool, drafts: bool, now: int | None, slack: int, parts: int
) -> None:
    """It does so too if the articles are selected in parts and the selections are merged."""
    loaded = settings_of(
        f"[feeds]\nlimit = {limit}\narchive = {str(archive).lower()}\n[categories.A]\nlimit = 2\n{QUERIES}"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(feeds, "SLACK", slack)
        selection, feed_list = select(listed, loaded, drafts=drafts, now=now, parts=parts)
    public = [one for one in listed if one.id and (drafts or not one.hidden) and (now is None or one.published <= now)]
    best: dict[str, Head] = {}
    for one in sorted(public, key=lambda each: (-each.published, each.path)):
        best.setdefault(one.id, one)
    remaining = [one for one in public if best[one.id] is one]
    conflicts = [IdConflict(one.path, best[one.id].path, one.id) for one in public if best[one.id] is not one]
    assert selection.conflicts == sorted(conflicts)
    about: dict[tuple[str, str], tuple[list[Head], int]] = {("site", ""): (remaining, limit)}
    for name in sorted({name for one in remaining for name in one.categories}):
        about["category", name] = [one for one in remaining if name in one.categories], 2 if name == "A" else limit
    for name, rule in RULES.items():
        about["select", name] = [one for one in remaining if matches(one, rule)], 1 if name == "few" else limit
    assert [(one.kind, one.name) for one in feed_list] == list(about)
    for selected in feed_list:
        members, most = about[selected.kind, selected.name]
        newest = sorted(((one.published, one.id, one.path) for one in members), reverse=True)
        assert [tuple(pick) for pick in selected.articles] == newest[:most]
        assert [tuple(pick) for pick in selected.all_articles] == (newest[::-1] if archive else [])
        assert (selected.total, selected.limit) == (len(members), most)
    assert selection.articles == len(remaining)
    future = [
        one.published
        for one in listed
        if one.id and (drafts or not one.hidden) and now is not None and one.published > now
    ]
    assert selection.next_change == min(future, default=None)
    assert {pick.path for pick in selection.paged} == {one.path for one in remaining if not one.linked}
    days: dict[int, int] = {}
    for one in public:
        days[one.published // DAY] = days.get(one.published // DAY, 0) + 1
    assert selection.days == days
    requested = {one.id for one in listed} | {"urn:none"}
    assert selection.published_ids(requested) == {one.id for one in public}
    assert [one.path for one in selection.shown(listed)] == [one.path for one in public]


HASHES = [-5426141060434712860, 4385711719155258530, 6508751399110960641, 7497787021708494914]


def test_hash_of_an_id_is_the_same_everywhere() -> None:
    hashes = [hash_of(identity) for identity in ("", "urn:1", "中文", "\ud800")]
    assert hashes == HASHES
    assert all(-(1 << 63) <= one < 1 << 63 for one in hashes)


def test_selection_with_resolved_duplicates_is_not_merged() -> None:
    twice = [head("a.md", "urn:1", JULY), head("b.md", "urn:1", JULY)]
    resolved, _ = select(twice, settings_of(""))
    for one, other in ((resolved, Selection(settings_of(""))), (Selection(settings_of("")), resolved)):
        with pytest.raises(ValueError, match="after all selections are merged"):
            one.merge(other)


@pytest.mark.parametrize(
    ("pages", "permalink", "paged"),
    [
        ("linkless", "", {"a"}),
        ("all", "", {"a", "b"}),
        ("none", "", set()),
        ("linkless", "/{slug}/", set()),
        ("all", "/{slug}/", {"a", "b"}),
    ],
)
def test_page_settings_select_articles(pages: str, permalink: str, paged: set[str]) -> None:
    loaded = settings_of(f'[articles]\npermalink = "{permalink}"\n[pages]\narticles = "{pages}"\n')
    selection, _ = select([head("a", "urn:a", JULY), head("b", "urn:b", JULY, linked=True)], loaded)
    assert {pick.path for pick in selection.paged} == paged


@pytest.mark.parametrize(
    ("identity", "odd"),
    [
        ("urn:x", False),
        ("https://e.org/", False),
        ("12", True),
        ("a:b c", True),
        ("tag:é", True),
        ("", True),
        (":", True),
    ],
)
def test_ids_that_atom_rewrites_are_detected(identity: str, odd: bool) -> None:
    assert is_odd(identity) is odd
    for others in ([], [head("b", "urn:b", JULY)]):
        selection, _ = select([*others, head("a", identity, JULY), *others], settings_of(""))
        assert selection.has_odd_ids is (odd and bool(identity))


def feed_selections(*named: tuple[str, str]) -> list[FeedSelection]:
    return [FeedSelection("site", "", 9), *(FeedSelection(kind, name, 9) for kind, name in named)]


@pytest.mark.parametrize(
    ("named", "text", "paths"),
    [
        ([("category", "A b"), ("select", "A b")], "", ["categories/a-b", "feeds/a-b"]),
        ([("category", "A")], '[categories.A]\nslug = "eh"', ["categories/eh"]),
        ([("select", "A")], '[categories.A]\nslug = "eh"', ["feeds/a"]),
        (
            [("category", "eh"), ("category", "A")],
            '[categories.A]\nslug = "eh"',
            ["categories/eh-category-<h>", "categories/eh"],
        ),
        (
            [("category", "Eh"), ("category", "A")],
            '[categories.A]\nslug = "EH"',
            ["categories/eh-category-<h>", "categories/EH"],
        ),
        ([("category", "eh")], '[categories.A]\nslug = "eh"', ["categories/eh"]),
        ([("select", "eh"), ("category", "A")], '[categories.A]\nslug = "eh"', ["feeds/eh", "categories/eh"]),
        ([("category", "C"), ("category", "C++")], "", ["categories/c", "categories/c-<h>"]),
    ],
)
def test_feed_folders_follow_names_and_settings(named: list[tuple[str, str]], text: str, paths: list[str]) -> None:
    selections = feed_selections(*named)
    assign_folders(selections, settings_of(text))
    assert selections[0].path == ""
    for selected, path in zip(selections[1:], paths, strict=True):
        assert re.fullmatch(re.escape(path).replace("<h>", "[0-9a-f]{6}"), selected.path), selected.path


METADATA = """description = "D"
language = "fr"
author = "Ada"
rights = "R"
icon = "https://e.org/i.png"
image = "https://e.org/i.jpg"
hub = "https://hub.example/"
[feeds]
ttl = 7
podcast_category = "Arts"
[categories.A]
title = "Of A"
description = "DA"
image = "https://e.org/a.jpg"
[feeds.select.s]
tags = ["x"]
title = "S"
description = "DS"
[feeds.select.t]
tags = ["y"]
"""


def test_feed_metadata_follows_the_settings() -> None:
    loaded = settings_of(METADATA)
    selections = [
        *feed_selections(("category", "A"), ("category", "B c")),
        *(FeedSelection("select", one.name, 9, one) for one in loaded.feeds.select),
    ]
    assign_folders(selections, loaded)
    site, a, b, s, t = (feed_of(selected, JULY, loaded, audio=selected.name == "A") for selected in selections)
    assert [one.title for one in (site, a, b, s, t)] == ["T", "Of A", "B c - T", "S", "t - T"]
    assert [one.description for one in (site, a, b, s, t)] == ["D", "DA", "", "DS", ""]
    assert [one.url for one in (site, b, s)] == [
        f"https://example.org/{path}" for path in ("", "categories/b-c/", "feeds/s/")
    ]
    assert [one.id for one in (site, b)] == ["tag:example.org,2005:feed/", "tag:example.org,2005:feed/categories/b-c"]
    assert [one.image for one in (site, a, b)] == ["https://e.org/i.jpg", "https://e.org/a.jpg", "https://e.org/i.jpg"]
    assert [one.audio for one in (site, a, b)] == [False, True, False]
    assert [one.category.name if one.category else "" for one in (site, a, b, s)] == ["", "A", "B c", ""]
    assert {one.category.scheme for one in (a, b) if one.category} == {"https://example.org/categories/"}
    assert {one.home for one in (site, a)} == {site.url, a.url}
    for one in (site, a, b, s, t):
        assert (one.language, one.rights, one.icon, one.hub, one.ttl) == (
            "fr",
            "R",
            "https://e.org/i.png",
            "https://hub.example/",
            7,
        )
        assert (one.css, one.podcast_category) == ("https://example.org/feed.css", "Arts")
        assert [author.name for author in one.authors] == ["Ada"]
        assert one.updated.timestamp() == JULY


def test_feed_without_settings_has_defaults() -> None:
    loaded = parse_settings("[feeds]\nttl = 0\n[pages]\nindex = false\n", file="feedtool.toml", environment={})
    feed = feed_of(FeedSelection("site", "", 9), JULY, loaded)
    assert (feed.url, feed.home, feed.id) == ("http://localhost/", "http://localhost/", "tag:localhost,2005:feed/")
    assert (feed.language, feed.authors, feed.rights, feed.icon, feed.image, feed.hub, feed.ttl) == (
        None,
        (),
        None,
        None,
        None,
        None,
        None,
    )
    assert feed.podcast_category is None
    assert base_url(loaded) == "http://localhost/"
    hidden = settings_of("[pages]\nindex = false\n")
    assert feed_of(FeedSelection("category", "A", 9, path="categories/a"), JULY, hidden).home == "https://example.org/"
    assert feed_id("feeds/é", hidden) == "tag:example.org,2005:feed/feeds/%C3%A9"
