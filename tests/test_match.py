"""Which article an entry is: by guid, by link, by likeness, and the ways in which feeds lie about them."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedtool.html.urls import link_key
from feedtool.likeness import grams, likeness
from feedtool.match import CLOSEST, Candidate, Known, match, urn

DAY = 86_400
CHINESE = "上海市疫情防控工作领导小组召开专题会议：以快制快处置新发疫情，把各项工作抓细抓实，确保社会面平稳有序。" * 3
ENGLISH = (
    "The figures were better than most people had feared, and nobody in the room expected the vote to be close. " * 3
)


class Shelf:
    """Articles in a list, with their texts by path."""

    def __init__(self, *known, texts=None):
        self.known = list(known)
        self.texts = texts or {}

    def by_guid(self, guid):
        return [one for one in self.known if one.guid == guid]

    def holds(self, guids):
        return {one.guid for one in self.known}.intersection(guids)

    def by_link(self, key):
        return [one for one in self.known if one.link == key and key]

    def recent(self, source, count):
        return [one for one in self.known if one.source == source][:count]

    def text(self, known):
        return self.texts.get(known.path, "")


def known(path="a.md", guid="g", link="example.org/a", title="Title of it", source="s", published=0):
    return Known(path, guid, link, title, source, published)


def entry(guid="g", link="https://example.org/a", title="Title of it", text="", published=0):
    return Candidate(guid, link, title, lambda: text, published)


def found(entries, shelf, source="s"):
    return [
        (one.how, one.known.path if one.known else None) for one in match(entries, shelf, sources=(source,), host="h")
    ]


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
def test_links_to_one_page_have_one_key(link, key):
    assert link_key(link) == key


ONE = [
    ("same guid", entry(), [known()], ("guid", "a.md")),
    ("same guid, all else edited a bit", entry(title="Title of it, updated", published=DAY * 5), [known()], ("guid", "a.md")),
    ("same guid, another link (the site moved)", entry(link="https://new.org/a"), [known()], ("guid", "a.md")),
    ("reused guid", entry(title="Quite another", link="https://example.org/z", published=DAY * 9), [known()], ("new", None)),
    ("retitled wholly, same link", entry(title="Quite another", published=DAY * 9), [known()], ("guid", "a.md")),
    ("another guid, same link", entry("other"), [known()], ("link", "a.md")),
    ("another guid, link written otherwise", entry("x", "http://www.example.org/a/?utm_source=rss"), [known()], ("link", "a.md")),
    ("another guid and title, same link and day", entry("x", title="Breaking!"), [known()], ("link", "a.md")),
    ("one link for all, over time", entry("x", title="Breaking!", published=DAY * 9), [known()], ("new", None)),
    ("no guid, same link", entry("", title="Breaking!", published=DAY * 9), [known(guid="")], ("link", "a.md")),
    ("a person's own article with this link", entry("x"), [known(guid="", source="")], ("link", "a.md")),
    ("nothing in common", entry("x", "https://example.org/x", "Other"), [known()], ("new", None)),
    ("the same page through another source", entry(), [known(source="t")], ("elsewhere", "a.md")),
    ("a number for a guid in another source", entry("12", "https://b.org/1", "B"), [known(guid="12", source="t")], ("new", None)),
    ("a URL for a guid elsewhere", entry("https://x/1", ""), [known(guid="https://x/1", source="t")], ("elsewhere", "a.md")),
]  # fmt: skip


@pytest.mark.parametrize(("one", "there", "expected"), [row[1:] for row in ONE], ids=[row[0] for row in ONE])
def test_one_entry(one, there, expected):
    assert found([one], Shelf(*there)) == [expected]


@pytest.mark.parametrize("text", [CHINESE, ENGLISH], ids=["chinese", "english"])
def test_a_churned_guid_and_link_is_known_by_title_and_text(text):
    title = text[:20]
    shelf = Shelf(
        known(link="old.org/1", title=title),
        known("b.md", "b", "old.org/2", title),
        texts={"a.md": text, "b.md": text[::-1]},
    )
    again = entry("churned", "https://new.org/?p=1", title + "！", text.replace("ing", "in"))
    assert found([again], shelf) == [("similar", "a.md")]


def test_columns_with_one_title_and_different_texts_are_different():
    shelf = Shelf(known(link="x.org/1", title="Links of the day"), texts={"a.md": ENGLISH})
    assert found([entry("n", "https://x.org/2", "Links of the day", CHINESE, DAY)], shelf) == [("new", None)]


def test_an_article_whose_guid_the_feed_still_holds_is_no_candidate():
    shelf = Shelf(known(title="Same"), texts={"a.md": ENGLISH})
    entries = [entry("n", "https://example.org/n", "Same", ENGLISH), entry(title="Same", text=ENGLISH)]
    assert found(entries, shelf) == [("new", None), ("guid", "a.md")]


def test_entries_with_one_guid_are_told_apart_by_link():
    entries = [entry("feed", f"https://example.org/{n}", f"Entry {n}") for n in range(3)]
    first = match(entries, Shelf(), sources=("s",), host="h")
    assert [one.how for one in first] == ["new"] * 3
    assert len({one.id for one in first}) == 3
    there = Shelf(*(known(f"{n}.md", one.id, f"example.org/{n}", f"Entry {n}") for n, one in enumerate(first)))
    assert found(entries, there) == [("guid", "0.md"), ("guid", "1.md"), ("guid", "2.md")]


def test_entries_with_one_link_and_no_guid_are_told_apart_by_title():
    entries = [entry("", "https://example.org/", f"Entry number {n}", published=n * DAY) for n in range(3)]
    first = match(entries, Shelf(), sources=("s",), host="h")
    assert len({one.id for one in first}) == 3
    there = Shelf(*(known(f"{n}.md", one.id, "example.org", entries[n].title) for n, one in enumerate(first)))
    assert [path for _, path in found(entries[1:], there)] == ["1.md", "2.md"]


def test_an_entry_that_stands_twice_is_one_article():
    assert found([entry(), entry()], Shelf()) == [("new", None), ("double", None)]
    assert found([entry(""), entry("")], Shelf(known(guid=""))) == [("link", "a.md"), ("double", None)]


def test_a_reused_guid_is_known_again_at_the_next_visit():
    old = known(title="The first thing")
    other = entry(title="Something else", link="https://example.org/z", published=9 * DAY)
    (new,) = match([other], Shelf(old), sources=("s",), host="h")
    assert (new.how, new.id.startswith("urn:uuid:")) == ("new", True)
    there = Shelf(old, known("b.md", new.id, "example.org/z", "Something else", published=9 * DAY))
    assert found([other], there) == [("guid", "b.md")]


guids = st.sampled_from(["", "1", "2", "https://example.org/1", "tag:x"])
links = st.sampled_from(["", "https://example.org/", "https://example.org/1", "https://example.org/2"])
titles = st.sampled_from(["", "One", "Two 二", "Another one altogether"])
entries = st.lists(
    st.builds(entry, guids, links, titles, st.text(max_size=9), st.none() | st.integers(0, 30 * DAY)), max_size=8
)


@given(entries)
def test_a_second_visit_finds_every_article_of_the_first_and_makes_none(listed):
    first = match(listed, Shelf(), sources=("s",), host="h")
    made = [
        Known(f"{n}.md", one.id, link_key(e.link), e.title, "s", e.published or 0)
        for n, (one, e) in enumerate(zip(first, listed, strict=True))
        if one.how == "new"
    ]
    assert len({one.guid for one in made}) == len(made)
    texts = {f"{n}.md": e.text() for n, e in enumerate(listed)}
    second = match(listed, Shelf(*made, texts=texts), sources=("s",), host="h")
    assert not [one for one in second if one.how == "new"]
    paths = [one.known.path for one in second if one.known]
    assert sorted(paths) == sorted(one.path for one in made)


@given(st.text(), st.text())
def test_likeness_is_symmetric_and_whole_for_equals(one, other):
    assert likeness(one, other) == likeness(other, one)
    assert likeness(one, one) == 1.0
    assert 0 <= likeness(one, other) <= 1
    assert all(len(gram) <= 2 or "" for gram in grams(one))


def test_many_new_entries_against_a_full_shelf_read_few_texts():
    shelf = Shelf(*(known(f"{n}.md", f"g{n}", f"o.org/{n}", f"Common title number {n}") for n in range(200)))
    read = []
    shelf.text = lambda known: read.append(known) or ""
    many = [entry(f"n{n}", f"https://n.org/{n}", f"Common title number {n} x", ENGLISH) for n in range(200)]
    assert {how for how, _ in found(many, shelf)} == {"new"}
    assert len(read) <= CLOSEST * len(many)


@given(st.text())
def test_made_up_ids_are_uuids_of_names(name):
    assert urn(name) == uuid.uuid5(uuid.NAMESPACE_URL, name).urn
