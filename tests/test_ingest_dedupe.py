"""Test which article an entry matches, by guid, link or similarity, and feeds with wrong or changing ids."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedtool.html.urls import link_key
from feedtool.ingesting.dedupe import MAX_TEXTS, match_entries, urn
from feedtool.ingesting.matches import Candidate, ExistingArticle
from feedtool.similarity import (
    different_texts,
    grams,
    jaccard,
    nearly_equal_titles,
    plain_title,
    similar_texts,
    similar_titles,
)
from tests.support.matching import CHINESE, ENGLISH, MemoryLookup, entry, matched, stored

DAY = 86_400


KEYS = [
    ("https://www.Example.org/a/", "example.org/a"),
    ("http://example.org:80/a?utm_source=x&b=1#part", "example.org/a?b=1"),
    ("HTTPS://user:pw@example.org/a", "example.org/a"),
    ("https://example.org/#!/page", "example.org/#!/page"),
    ("https://example.org", "example.org"),
    ("//example.org/a", "example.org/a"),
    ("javascript:alert(1)", ""),
    ("", ""),
    ("\ud800", ""),
]


@pytest.mark.parametrize(("link", "key"), KEYS)
def test_links_to_one_page_share_a_key(link, key):
    assert link_key(link) == key


ONE = [
    ("same guid", entry(), [stored()], ("guid", "a.md")),
    ("same guid, all else edited a bit", entry(title="Title of it, updated", published=DAY * 5), [stored()], ("guid", "a.md")),
    ("same guid, another link (the site moved)", entry(link="https://new.org/a"), [stored()], ("guid", "a.md")),
    ("reused guid", entry(title="Quite another", link="https://example.org/z", published=DAY * 9), [stored()], ("new", None)),
    ("retitled wholly, same link", entry(title="Quite another", published=DAY * 9), [stored()], ("guid", "a.md")),
    ("another guid, same link", entry("other"), [stored()], ("link", "a.md")),
    ("another guid, link written otherwise", entry("x", "http://www.example.org/a/?utm_source=rss"), [stored()], ("link", "a.md")),
    ("another guid and title, same link and day", entry("x", title="Breaking!"), [stored()], ("link", "a.md")),
    ("one link for all, over time", entry("x", title="Breaking!", published=DAY * 9), [stored()], ("new", None)),
    ("no guid, same link", entry("", title="Breaking!", published=DAY * 9), [stored(guid="")], ("link", "a.md")),
    ("a person's own article with this link", entry("x"), [stored(guid="", source="")], ("link", "a.md")),
    ("nothing in common", entry("x", "https://example.org/x", "Other"), [stored()], ("new", None)),
    ("the same page through another source", entry(), [stored(source="t")], ("elsewhere", "a.md")),
    ("a number for a guid in another source", entry("12", "https://b.org/1", "B"), [stored(guid="12", source="t")], ("new", None)),
    ("a URL for a guid elsewhere", entry("https://x/1", ""), [stored(guid="https://x/1", source="t")], ("elsewhere", "a.md")),
]  # fmt: skip


@pytest.mark.parametrize(("one", "articles", "expected"), [row[1:] for row in ONE], ids=[row[0] for row in ONE])
def test_entry_matches_its_article(one, articles, expected):
    assert matched([one], MemoryLookup(*articles)) == [expected]


@pytest.mark.parametrize("text", [CHINESE, ENGLISH], ids=["chinese", "english"])
def test_changed_ids_match_by_title_and_text(text):
    title = text[:20]
    lookup = MemoryLookup(
        stored(link="old.org/1", title=title),
        stored("b.md", "b", "old.org/2", title),
        texts={"a.md": text, "b.md": text[::-1]},
    )
    again = entry("churned", "https://new.org/?p=1", title + "！", text.replace("ing", "in"))
    assert matched([again], lookup) == [("similar", "a.md")]


def test_same_titled_columns_with_new_text_differ():
    lookup = MemoryLookup(stored(link="x.org/1", title="Links of the day"), texts={"a.md": ENGLISH})
    assert matched([entry("n", "https://x.org/2", "Links of the day", CHINESE, DAY)], lookup) == [("new", None)]


def test_article_with_a_listed_guid_is_no_candidate():
    lookup = MemoryLookup(stored(title="Same"), texts={"a.md": ENGLISH})
    entries = [entry("n", "https://example.org/n", "Same", ENGLISH), entry(title="Same", text=ENGLISH)]
    assert matched(entries, lookup) == [("new", None), ("guid", "a.md")]


def test_entries_with_one_guid_differ_by_link():
    entries = [entry("feed", f"https://example.org/{n}", f"Entry {n}") for n in range(3)]
    first = match_entries(entries, MemoryLookup(), sources=("s",), host="h")
    assert [one.how for one in first] == ["new"] * 3
    assert len({one.id for one in first}) == 3
    lookup = MemoryLookup(*(stored(f"{n}.md", one.id, f"example.org/{n}", f"Entry {n}") for n, one in enumerate(first)))
    assert matched(entries, lookup) == [("guid", "0.md"), ("guid", "1.md"), ("guid", "2.md")]


def test_entries_with_one_link_differ_by_title():
    entries = [entry("", "https://example.org/", f"Entry number {n}", published=n * DAY) for n in range(3)]
    first = match_entries(entries, MemoryLookup(), sources=("s",), host="h")
    assert len({one.id for one in first}) == 3
    lookup = MemoryLookup(*(stored(f"{n}.md", one.id, "example.org", entries[n].title) for n, one in enumerate(first)))
    assert [path for _, path in matched(entries[1:], lookup)] == ["1.md", "2.md"]


def test_repeated_entry_is_one_article():
    assert matched([entry(), entry()], MemoryLookup()) == [("new", None), ("double", None)]
    assert matched([entry(""), entry("")], MemoryLookup(stored(guid=""))) == [
        ("link", "a.md"),
        ("double", None),
    ]


def test_reused_guid_matches_at_the_next_visit():
    old = stored(title="The first thing")
    other = entry(title="Something else", link="https://example.org/z", published=9 * DAY)
    (new,) = match_entries([other], MemoryLookup(old), sources=("s",), host="h")
    assert (new.how, new.id.startswith("urn:uuid:")) == ("new", True)
    lookup = MemoryLookup(old, stored("b.md", new.id, "example.org/z", "Something else", published=9 * DAY))
    assert matched([other], lookup) == [("guid", "b.md")]


guids = st.sampled_from(["", "1", "2", "https://example.org/1", "tag:x"])
links = st.sampled_from(["", "https://example.org/", "https://example.org/1", "https://example.org/2"])
titles = st.sampled_from(["", "One", "Two 二", "Another one altogether"])
entries = st.lists(
    st.builds(entry, guids, links, titles, st.text(max_size=9), st.none() | st.integers(0, 30 * DAY)), max_size=8
)


@given(entries)
def test_second_visit_finds_every_article(listed):
    first = match_entries(listed, MemoryLookup(), sources=("s",), host="h")
    stored_articles = [
        ExistingArticle(f"{n}.md", one.id, link_key(e.link), e.title, "s", e.published or 0)
        for n, (one, e) in enumerate(zip(first, listed, strict=True))
        if one.how == "new"
    ]
    assert len({one.guid for one in stored_articles}) == len(stored_articles)
    texts = {f"{n}.md": e.text() for n, e in enumerate(listed)}
    second = match_entries(listed, MemoryLookup(*stored_articles, texts=texts), sources=("s",), host="h")
    assert not [one for one in second if one.how == "new"]
    paths = [one.article.path for one in second if one.article]
    assert sorted(paths) == sorted(one.path for one in stored_articles)


@given(st.text(), st.text())
def test_similarity_is_symmetric(one, other):
    assert jaccard(one, other) == jaccard(other, one)
    assert jaccard(one, one) == 1.0
    assert 0 <= jaccard(one, other) <= 1
    assert all(len(gram) <= 2 or "" for gram in grams(one))


def test_many_new_entries_read_few_texts():
    lookup = MemoryLookup(*(stored(f"{n}.md", f"g{n}", f"o.org/{n}", f"Common title number {n}") for n in range(200)))
    read = []
    lookup.text = lambda article: read.append(article) or ""
    many = [entry(f"n{n}", f"https://n.org/{n}", f"Common title number {n} x", ENGLISH) for n in range(200)]
    assert {how for how, _ in matched(many, lookup)} == {"new"}
    assert len(read) <= MAX_TEXTS * len(many)


@given(st.text())
def test_generated_ids_are_uuids_of_names(name):
    assert urn(name) == uuid.uuid5(uuid.NAMESPACE_URL, name).urn


# These ids identify entries without a guid; a change of them would make every article of a source new.
MADE_UP = [
    "urn:uuid:f1354b73-03d0-5c86-b15e-4049ebe77ed6",
    "urn:uuid:34a1d903-3d97-544e-bf3e-41e9e333dec3",
    "urn:uuid:f555f0bc-ae91-557f-9e9f-7a52182ad676",
]
HOUR = 3600
NEAR = 6 * HOUR
COLUMN = "The weather of the day: rain in the north, sun in the south, and wind from the sea in the evening. " * 4
OTHER = "An interview with the builder of the bridge, who tells of steel and stone and forty winters' work. " * 4


@pytest.mark.parametrize(("apart", "how"), [(NEAR, "guid"), (-NEAR, "guid"), (NEAR + 1, "new"), (-NEAR - 1, "new")])
def test_reused_guid_is_decided_by_date(apart, how):
    article = stored(title="Alpha", link="", published=DAY)
    one = entry(title="Omega", link="", published=DAY + apart)
    assert matched([one], MemoryLookup(article)) == [(how, "a.md" if how == "guid" else None)]


@pytest.mark.parametrize(("apart", "how"), [(NEAR, "link"), (NEAR + 1, "new"), (-NEAR - 1, "new")])
def test_link_with_a_new_guid_is_decided_by_date(apart, how):
    lookup = MemoryLookup(stored(title="Alpha", published=DAY), texts={"a.md": OTHER})
    one = entry("n", title="Alpha", text=COLUMN, published=DAY + apart)
    assert matched([one], lookup) == [(how, "a.md" if how == "link" else None)]


@pytest.mark.parametrize(
    ("apart", "how"), [(NEAR, "link"), (-NEAR, "link"), (NEAR + 1, "new"), (-NEAR - 1, "new"), (None, "link")]
)
def test_guidless_column_is_decided_by_date_and_text(apart, how):
    lookup = MemoryLookup(stored(guid="", published=9 * DAY), texts={"a.md": OTHER})
    for text, expected in ((COLUMN, how), (OTHER, "link"), ("", "link")):
        one = entry("", text=text, published=None if apart is None else 9 * DAY + apart)
        assert matched([one], lookup) == [(expected, "a.md" if expected == "link" else None)]


@pytest.mark.parametrize(
    ("apart", "how"), [(NEAR, "guid"), (-NEAR, "guid"), (NEAR + 1, "new"), (-NEAR - 1, "new"), (None, "guid")]
)
def test_new_link_is_decided_by_date_and_text(apart, how):
    lookup = MemoryLookup(stored(published=9 * DAY), texts={"a.md": OTHER})
    for text, expected in ((COLUMN, how), (OTHER, "guid"), ("", "guid")):
        one = entry(link="https://example.org/b", text=text, published=None if apart is None else 9 * DAY + apart)
        assert matched([one], lookup) == [(expected, "a.md" if expected == "guid" else None)]


ALIKE = [
    ("Title of it", "Title of it", True, True),
    ("Title of it", "title OF it!", True, True),
    ("Ｔｉｔｌｅ of it", "Title of it", True, True),
    ("Part 1 of the story", "Part 2 of the story", False, False),
    ("Part １ of the story", "Part 1 of the story", True, True),
    ("abcdefgh", "abcdxxxx", False, False),
    ("abcdefghij", "abcdefghix", True, True),
    ("abcdefghij", "abcdefghxy", True, False),
    ("abcdef", "abcdxx", False, False),
    ("abcdefg", "abcdexx", True, False),
    ("", "", True, True),
    ("", "a", False, False),
]


@pytest.mark.parametrize(("one", "other", "may_be", "nearly"), ALIKE)
def test_similar_titles_are_recognised(one, other, may_be, nearly):
    for first, second in ((one, other), (other, one)):
        assert (similar_titles(first, second), nearly_equal_titles(first, second)) == (may_be, nearly)


def letters(count, start=0x4E00):
    """Return a text without repeated characters, so that its n-grams are easily counted."""
    return "".join(chr(start + number) for number in range(count))


@pytest.mark.parametrize(
    ("one", "other", "about_others", "one_text"),
    [
        ("", "", False, True),
        ("a", "", False, False),
        ("a b", "a  b", False, True),
        ("a b", "a c", True, False),
        (letters(41), letters(41), False, True),
        (letters(41), letters(41)[::-1], True, False),
        (letters(42), letters(41) + "x", False, True),  # 40 3-grams: long enough for a comparison
        (letters(41), letters(40) + "x", False, False),  # 39 are too few
        (letters(104), letters(34) + letters(70, 0x6000), False, False),  # 30 of 100 5-grams
        (letters(104), letters(33) + letters(71, 0x6000), True, False),  # 29 of them
        (letters(104), letters(34), False, False),  # the beginning of a text
        (letters(22), letters(22, 0x6000), True, False),
        (letters(187), letters(172) + letters(15, 0x6000), False, True),  # 170 of 200 3-grams
        (letters(187), letters(171) + letters(16, 0x6000), False, False),
        (letters(2000), letters(2000) + letters(500, 0x6000), False, True),  # only the first 2000 characters count
        (letters(2000), letters(1500) + letters(900, 0x6000), False, False),
    ],
)
def test_similar_and_unrelated_texts_are_recognised(one, other, about_others, one_text):
    for first, second in ((one, other), (other, one)):
        assert (different_texts(first, second), similar_texts(first, second)) == (about_others, one_text)


def test_titles_are_compared_by_200_characters():
    long = letters(200)
    assert similar_titles(long + "1", long + "2")
    assert not similar_titles(long[:199] + "1", long[:199] + "2")
    assert plain_title(long + "x") == long
    assert plain_title("Ａ-b C!") == "abc"


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        ({"link": "https://x.org/n", "title": "Title of it", "text": COLUMN}, ("similar", "a.md")),
        ({"link": "https://x.org/n", "title": "Title of it!", "text": COLUMN}, ("similar", "a.md")),
        ({"link": "https://x.org/n", "title": "Title of its", "text": COLUMN}, ("new", None)),
        ({"link": "", "title": "Title of its", "text": COLUMN}, ("similar", "a.md")),
        ({"link": "", "title": "Title of its", "text": COLUMN, "published": None}, ("new", None)),
        ({"link": "", "title": "Title of it", "text": COLUMN, "published": None}, ("similar", "a.md")),
        ({"link": "", "title": "Title of it", "text": "", "published": 0}, ("new", None)),
        ({"link": "https://x.org/n", "title": "Title of it", "text": OTHER}, ("new", None)),
        ({"link": "https://x.org/n", "title": "Title of it", "text": COLUMN, "published": 1}, ("new", None)),
        ({"link": "https://x.org/n", "title": "", "text": COLUMN}, ("new", None)),
        ({"link": "https://x.org/n", "title": "Another one", "text": COLUMN}, ("new", None)),
    ],
)
def test_entry_with_a_new_guid_matches_by_content(one, expected):
    assert matched([entry("n", **one)], MemoryLookup(stored(), texts={"a.md": COLUMN})) == [expected]


def test_textless_article_matches_unless_links_differ():
    assert matched([entry("n", "", "Title of it")], MemoryLookup(stored())) == [("similar", "a.md")]
    assert matched([entry("n", "https://x.org/n", "Title of it")], MemoryLookup(stored())) == [("new", None)]


def test_reassigned_link_matches_by_content():
    lookup = MemoryLookup(stored("a.md", "g", "example.org/a"), texts={"a.md": COLUMN})
    by_link = entry("m", "https://example.org/a", "Wholly other", OTHER, 90 * DAY)
    assert matched([entry("n", "https://x.org/n", text=COLUMN), by_link], lookup) == [
        ("similar", "a.md"),
        ("new", None),
    ]


@pytest.mark.parametrize("place", [0, 2, 3])
def test_three_most_similar_articles_are_read(place):
    titles = ["Title of it a", "Title of it b", "Title of it c", "Title of it d"]
    articles = [stored(f"{n}.md", f"g{n}", f"o.org/{n}", title) for n, title in enumerate(titles)]
    one = entry("n", "", "Title of it", COLUMN)
    expected = ("similar", f"{place}.md") if place < MAX_TEXTS == 3 else ("new", None)
    assert matched([one], MemoryLookup(*articles, texts={f"{place}.md": COLUMN})) == [expected]


@pytest.mark.parametrize("count", [19, 20, 21])
def test_twenty_articles_with_one_title_are_compared(count):
    articles = [stored(f"{n:02}.md", f"g{n}", f"o.org/{n}", published=5) for n in range(count)]
    last = f"{count - 1:02}.md"
    one = Candidate("n", "", "Title of it", lambda: COLUMN, None)
    texts = {last: COLUMN}
    expected = [("similar", last)] if count <= 3 else [("new", None)]
    assert matched([one], MemoryLookup(*articles, texts=texts)) == expected
    # The last title is the most similar one; the other titles differ more, and must not stop it from being read.
    nearly = [stored(f"{n:02}.md", f"g{n}", f"o.org/{n}", "Title of its", published=0) for n in range(count - 1)]
    dated = entry("n", "", "Title of it", COLUMN)
    answer = matched(
        [dated], MemoryLookup(*nearly, articles[-1]._replace(published=0, title="Title of it."), texts=texts)
    )
    assert answer == [("similar", last)]


@pytest.mark.parametrize(
    ("entries_", "articles", "is_matched"), [(1, 200, True), (1, 201, False), (101, 202, True), (101, 203, False)]
)
def test_entry_is_compared_with_newest_articles(entries_, articles, is_matched):
    others = [stored(f"{n}.md", f"g{n}", f"o.org/{n}", f"Number {n}", published=n) for n in range(articles - 1)]
    lookup = MemoryLookup(*others, stored("last.md", "old", "o.org/last"), texts={"last.md": COLUMN})
    one = entry("n", "https://x.org/n", text=COLUMN)
    rest = [entry(f"m{n}", f"https://x.org/{n}", f"Other {n}", published=9 * DAY) for n in range(entries_ - 1)]
    assert (matched([one, *rest], lookup)[0] == ("similar", "last.md")) is is_matched


def test_former_source_names_count():
    lookup = MemoryLookup(stored(source="old"), texts={"a.md": COLUMN})
    for one, how in ((entry(), "guid"), (entry("n"), "link"), (entry("n", "https://x.org/n", text=COLUMN), "similar")):
        (answer,) = match_entries([one], lookup, sources=("new", "old"), host="h")
        assert (answer.how, answer.article.path) == (how, "a.md")
        (answer,) = match_entries([one], lookup, sources=("new",), host="h")
        assert answer.how == ("new" if how == "similar" else "elsewhere")


@pytest.mark.parametrize(
    ("one", "how"),
    [
        ({"guid": "tag:x", "title": "Title of it"}, "elsewhere"),
        ({"guid": "tag:x", "title": "Title of it!"}, "elsewhere"),
        ({"guid": "tag:x", "title": "Other words"}, "new"),
        ({"guid": "tag:x", "text": OTHER}, "new"),
        ({"guid": "12", "title": "Title of it"}, "new"),
        ({"guid": "12", "link": "https://example.org/a"}, "elsewhere"),
        ({"guid": "12", "link": "https://example.org/a", "title": "Else", "published": 9 * DAY, "text": OTHER}, "new"),
    ],
)
def test_article_of_another_source_matches_by_guid(one, how):
    lookup = MemoryLookup(stored(guid=one["guid"], source="t"), texts={"a.md": COLUMN})
    facts = {"link": "https://x.org/n", "text": COLUMN, **one}
    (answer,) = match_entries([entry(**facts)], lookup, sources=("s",), host="h")
    assert answer.how == how
    assert how == "elsewhere" or answer.id != one["guid"]


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("https://example.org/a", "example.org/a"),
        ("https://example.org/a#c1", ""),
        ("https://example.org/#!/p", "example.org/#!/p"),
        ("", ""),
    ],
)
def test_link_identifies_only_a_single_entry(link, expected):
    (answer,) = match_entries([entry(link=link)], MemoryLookup(), sources=("s",), host="h")
    assert answer.link == expected
    both = match_entries([entry("a", link, "One"), entry("b", link, "Two")], MemoryLookup(), sources=("s",), host="h")
    assert [one.link for one in both] == ["", ""]


def test_generated_ids_never_change():
    page = "https://example.org/"
    entries_ = [entry("", page, "One"), entry("", page, "Two", published=None), entry("", "", "Three")]
    stored_articles = match_entries(entries_, MemoryLookup(), sources=("s",), host="example.org")
    assert [one.id for one in stored_articles] == MADE_UP
