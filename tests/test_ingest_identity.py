"""Test that different articles stay apart and each article stays one, whatever its feed does to ids and titles."""

from __future__ import annotations

from datetime import timedelta

import pytest

from feedtool.ingesting.dedupe import MAX_RECENT, MAX_TEXTS, match_entries
from feedtool.ingesting.matches import ExistingArticle
from tests.support.ingestworld import NOW, SOURCE, URL, World, counts, run
from tests.support.ingestworld import entry as numbered
from tests.support.matching import CHINESE, ENGLISH, MemoryLookup, entry, matched, stored
from tests.support.site import make_site, tree
from tests.support.visits import HOME, one, visits

INDEX = "今日上证指数收盘报3256.12点，涨幅{}%，成交额4521亿元。深证成指收盘报12345.6点，涨幅0.5%。两市个股涨多跌少。"
WEATHER = "Weather for {}: today partly cloudy with light winds from the west; tomorrow sunny intervals and showers."
BUGS = "Changes since the last release: many bug fixes and performance improvements; see the change log for the list."


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def site(tmp_path):
    return make_site(tmp_path, {}, SOURCE)


COLUMNS = [
    ("an index", [(f"收评：沪指涨{x}% 两市个股涨多跌少", INDEX.format(x)) for x in ("0.31", "0.51")], 24),
    ("the weather", [(f"Weather for {x}", WEATHER.format(x)) for x in ("Monday", "Tuesday")], 24),
    ("releases", [(f"Release v1.2.{x} of Foo", BUGS) for x in (3, 4)], 72),
    ("alerts", [("交通提示", f"延安路高架发生事故，请绕行{x}号口") for x in (1, 2, 3)], 1),
    ("releases at once", [(f"Release v1.2.{x} of Foo", BUGS) for x in (3, 4)], 0),
]


@pytest.mark.parametrize(("pairs", "hours"), [row[1:] for row in COLUMNS], ids=[row[0] for row in COLUMNS])
def test_column_with_distinct_ids_gives_new_articles(site, world, pairs, hours):
    documents = [
        [numbered(n, title=title, html=f"<p>{text}</p>", published=(NOW + timedelta(hours=n * hours)).isoformat())]
        for n, (title, text) in enumerate(pairs)
    ]
    assert visits(site, world, *documents) == len(pairs)


def test_same_link_issues_differ_by_number_and_date(site, world):
    documents = [[one(0, hours=24 * n, guid="", link=HOME) | {"title": f"Daily brief {n}"}] for n in range(3)]
    assert visits(site, world, *documents) == 3


def test_shared_link_blocks_only_deleted_articles(site, world):
    listed = [one(n, hours=-n, guid="", link=HOME) for n in range(4)]
    world.pages[URL] = listed[:3]
    run(site, world)
    next((site / "articles").rglob("Election*")).unlink()
    run(site, world, force=True)
    world.pages[URL] = listed
    assert counts(run(site, world, force=True)) == {"new": 1, "unchanged": 2, "skipped": 1}
    # A retitled entry does not match by this link any more than the others do.
    retitled = {**listed[0], "title": listed[0]["title"] + " at last"}
    world.pages[URL] = [retitled, *listed[1:]]
    run(site, world, force=True)
    world.pages[URL] = [one(4, hours=1, guid="", link=HOME), retitled, *listed[1:]]
    assert counts(run(site, world, force=True))["new"] == 1


REUSED = [
    ("one link, no guid, one a day", {"guid": "", "link": HOME}, 24),
    ("one guid and link", {"guid": "latest", "link": HOME}, 48),
    ("one guid and link, no date", {"guid": "latest", "link": HOME, "published": None}, 48),
    ("the guid is the position", {"guid": "0"}, 5),
]


@pytest.mark.parametrize(("facts", "hours"), [row[1:] for row in REUSED], ids=[row[0] for row in REUSED])
def test_reused_ids_do_not_identify_articles(site, world, facts, hours):
    documents = []
    for n in range(5):
        document = one(n, hours=n * hours)
        documents.append([{**document, **facts}])
    assert visits(site, world, *documents) == 5


def test_comments_on_one_page_differ_by_guid(site, world):
    comments = []
    for n, name in enumerate(("Ann", "Bob", "Cid")):
        link = f"https://news.example.org/post/#comment-{n}"
        comments.append([one(n, hours=n, guid=link, link=link) | {"title": f"Comment on Post by {name}"}])
    assert visits(site, world, *comments) == 3


@pytest.mark.parametrize("published", [NOW.isoformat(), None], ids=["dated", "undated"])
def test_new_guids_duplicate_nothing_in_a_long_feed(site, world, published):
    documents = [
        [
            numbered(n, guid=f"{visit}-{n}", link=None, title=f"Item {n}", html=f"<p>{n}</p>", published=published)
            for n in range(300)
        ]
        for visit in range(2)
    ]
    assert visits(site, world, *documents) == 300


def test_overwrite_skips_files_without_provenance(tmp_path, world):
    site = make_site(tmp_path, {}, SOURCE + 'on_update = "overwrite"\n')
    date = one(0, hours=0)["published"]
    for name, key in (("a", "guid"), ("b", "link")):
        text = f"---\ntitle: My essay {name}\ndate: {date}\n{key}: 'https://example.org/{name}'\n---\n\nMy words.\n"
        (site / f"articles/{name}.md").write_text(text)
    before = tree(site / "articles")
    world.pages[URL] = [
        one(0, hours=0, guid="https://example.org/a") | {"title": "My essay a"},
        one(1, hours=0, link="https://example.org/b") | {"title": "My essay b"},
    ]
    run(site, world)
    after = tree(site / "articles")
    assert {path: after[path] for path in before} == before


def test_foreign_guid_claim_hides_nothing():
    claimed = stored(guid="https://a.org/1", link="b.org/ad", title="Buy this", source="B")
    lookup = MemoryLookup(claimed, texts={"a.md": CHINESE})
    (real,) = match_entries(
        [entry("https://a.org/1", "https://a.org/1", "The news", ENGLISH)], lookup, sources=("A",), host="a.org"
    )
    assert real.how == "new"
    assert real.id != claimed.guid


def test_copy_in_another_source_is_one_article():
    article = stored(guid="https://a.org/1", link="planet.org/1", source="planet")
    again = entry("https://a.org/1", "https://a.org/1", text=ENGLISH)
    assert matched([again], MemoryLookup(article, texts={"a.md": ENGLISH})) == [("elsewhere", "a.md")]


def test_similarity_search_reads_few_articles():
    many = [ExistingArticle(f"{n}.md", f"g{n}", "", "word " * 5000, "s", 0) for n in range(MAX_RECENT)]
    lookup = MemoryLookup(*many)
    read = []
    lookup.text = lambda article: read.append(article) or ""
    listed = [entry(f"n{n}", "", "word " * 5000, f"{ENGLISH}{n}") for n in range(50)]
    assert {how for how, _ in matched(listed, lookup)} == {"new"}
    assert len(read) <= MAX_TEXTS * len(listed)
