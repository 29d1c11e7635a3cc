"""Test with how many articles an entry is compared: the last that counts, and the first that does not."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from feedtool.ingesting.dedupe import MAX_PEERS, MAX_RECENT, MAX_TEXTS, MIN_RECENT, match_entries
from feedtool.ingesting.matches import Candidate, ExistingArticle, Match
from tests.support.matching import MemoryLookup

TEXT = "The weather of the day: rain in the north, sun in the south, and wind from the sea in the evening. " * 4
OTHER = "An interview with the builder of the bridge, who tells of steel and stone and forty winters' work. " * 4


def lookup_of(articles: Sequence[ExistingArticle], text: str = TEXT) -> MemoryLookup:
    """Return a lookup in which the last article has the text, and the others another one."""
    return MemoryLookup(*articles, texts={one.path: text if one is articles[-1] else OTHER for one in articles})


def article(
    path: str, guid: str = "", link: str = "", title: str = "T", source: str = "s", published: int = 0
) -> ExistingArticle:
    return ExistingArticle(path, guid, link, title, source, published)


def entry(guid: str = "n", link: str = "", title: str = "T", published: int | None = 0, text: str = TEXT) -> Candidate:
    return Candidate(guid, link, title, lambda: text, published)


def found(one: Candidate, lookup: MemoryLookup) -> Match:
    return match_entries([one], lookup, sources=("s",), host="h")[0]


@pytest.mark.parametrize(
    ("entries", "count"),
    [(1, MIN_RECENT), (100, MIN_RECENT), (101, 202), (MAX_RECENT // 2, MAX_RECENT), (MAX_RECENT // 2 + 1, MAX_RECENT)],
)
def test_twice_as_many_articles_as_entries_are_read(entries: int, count: int) -> None:
    lookup = MemoryLookup()
    match_entries(
        [entry(f"n{number}", title=f"T {number}") for number in range(entries)], lookup, sources=("s",), host="h"
    )
    assert set(lookup.counts) == {1, count}
    assert (MIN_RECENT, MAX_RECENT) == (200, 4000)


LOOKED_AT: list[tuple[str, Callable[[int], Sequence[ExistingArticle]], Candidate, str]] = [
    (
        "one guid",
        lambda count: [article(f"{n:02}", "12", source="t") for n in range(count - 1)] + [article("own", "12")],
        entry("12"),
        "guid",
    ),
    (
        "one link elsewhere",
        lambda count: (
            [article(f"{n:02}", f"g{n}", "e.org", "Another", "t") for n in range(count - 1)]
            + [article("last", "x", "e.org", source="t")]
        ),
        entry(link="https://e.org/"),
        "elsewhere",
    ),
    (
        "one title, no date",
        lambda count: [article(f"b{n:02}", f"g{n}") for n in range(count - 1)] + [article("a", "x")],
        entry(published=None),
        "similar",
    ),
    (
        "one title and date",
        lambda count: (
            [article(f"b{n:02}", f"g{n}", published=5) for n in range(count - 1)] + [article("a", "x", published=5)]
        ),
        entry(published=5),
        "similar",
    ),
    (
        "one date",
        lambda count: (
            [article(f"b{n:02}", f"g{n}", title="Title of itt", published=5) for n in range(count - 1)]
            + [article("a", "x", title="Title of its", published=5)]
        ),
        entry(title="Title of it", published=5),
        "similar",
    ),
]


@pytest.mark.parametrize(("articles", "one", "how"), [row[1:] for row in LOOKED_AT], ids=[row[0] for row in LOOKED_AT])
def test_twenty_articles_are_compared(
    articles: Callable[[int], Sequence[ExistingArticle]], one: Candidate, how: str
) -> None:
    assert MAX_PEERS == 20
    for count, expected in ((MAX_PEERS, how), (MAX_PEERS + 1, "new")):
        assert found(one, lookup_of(articles(count))).how == expected


def test_text_of_three_articles_is_read() -> None:
    assert MAX_TEXTS == 3
    for place, how in ((2, "similar"), (3, "new")):
        articles = [article(f"{n}", f"g{n}") for n in range(place)] + [article("9", "x")]
        assert found(entry(published=None), lookup_of(articles)).how == how


def test_titles_are_compared_by_their_beginning() -> None:
    # Without texts, a guid that is used again is recognized by its title, of which 200 characters count.
    def how(own: str, other: str) -> str:
        one = entry("g", title=own, published=10**6, text="")
        return found(one, lookup_of([article("a", "g", title=other)], "")).how

    letters = "".join(chr(0x4E00 + number) for number in range(600))
    same, others = letters[:100], letters[100:200]
    assert how(same + "1" + others, same + "2") == "guid"
    assert how(letters[:60] + letters[200:340] + "1", letters[:60] + letters[400:540] + "2") == "new"
    assert (
        how(letters[:100] + letters[200:300] + letters[300:600] + "1", letters[:100] + letters[100:200] + "2") == "guid"
    )
    assert (
        how(letters[:100] + letters[100:200] + "2", letters[:100] + letters[200:300] + letters[300:600] + "1") == "guid"
    )
