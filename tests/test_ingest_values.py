"""Test which values of an entry are written into its file, up to each limit and one past it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from feedtool.config import SourceSettings
from feedtool.dialects.pelican import Pelican
from feedtool.ingesting.values import MAX_AHEAD, Origin, published_of, title_of, values_of, with_date
from feedtool.models import Author, Enclosure, Source
from tests.support.ingestworld import ENTRY

NOW = datetime(2026, 11, 23, 18, 30, tzinfo=UTC)
PLAIN = SourceSettings(name="S", url="https://s.example/feed")
ORIGIN = Origin(source=PLAIN, url=PLAIN.url, language="en")


def entry(**facts: Any) -> Any:
    return SimpleNamespace(**{**ENTRY, **facts})


def value(key: str, origin: Origin = ORIGIN, **facts: Any) -> Any:
    return values_of(entry(**facts), origin, NOW)[key]


def test_entry_gives_all_its_values() -> None:
    full = entry(
        title="T", published=NOW - timedelta(days=2), updated=NOW, html="<p>Text.</p>", summary="Said otherwise.", guid="g",
        authors=(Author(name="Ada", email="a@e.org"),), categories=("C",), thumbnail="https://e.org/t.png", language="de",
        link="https://e.org/a?utm_source=x", rights="  R\n ", source=Source(title="O", url="https://o.org/f", id="i"),
        enclosures=(Enclosure(url="https://e.org/a.mp3", type="audio/mpeg", length=5, duration=6, title="t"),),
    )  # fmt: skip
    assert values_of(full, ORIGIN, NOW) == {
        "title": "T", "categories": ["C"], "author": "Ada <a@e.org>", "thumbnail": "https://e.org/t.png",
        "link": "https://e.org/a", "source": {"title": "O", "url": "https://o.org/f", "id": "i"},
        "updated": "2026-11-23T18:30:00Z", "language": "de", "summary": "Said otherwise.",
        "enclosures": [
            {"url": "https://e.org/a.mp3", "type": "audio/mpeg", "length": "5", "duration": "6", "title": "t"}
        ],
        "tags": [], "rights": "R", "date": "2026-11-21T18:30:00Z",
    }  # fmt: skip
    assert values_of(entry(), Origin(source=PLAIN), NOW) == {
        "title": "Untitled", "categories": [], "author": [], "thumbnail": "", "link": "", "source": {"title": "S"},
        "updated": "", "language": "", "summary": "", "enclosures": [], "tags": [], "rights": "",
    }  # fmt: skip


@pytest.mark.parametrize("count", [99, 100, 101])
def test_a_hundred_names_are_kept(count: int) -> None:
    names = tuple(f"n{number}" for number in range(count))
    authors = tuple(Author(name=name) for name in names)
    kept = list(names[:100])
    assert value("categories", categories=names) == kept
    assert value("author", authors=authors) == kept
    assert value("author", Origin(source=PLAIN, dialect=Pelican()), authors=authors) == kept
    assert value("tags", Origin(source=SourceSettings(name="S", url="u", tags=names))) == kept
    files = tuple(Enclosure(url=f"https://e.org/{name}", type="a/b") for name in names)
    assert value("enclosures", enclosures=files) == [{"url": f"https://e.org/{name}", "type": "a/b"} for name in kept]


@pytest.mark.parametrize("length", [499, 500, 501])
def test_five_hundred_characters_of_a_line_are_kept(length: int) -> None:
    long, kept = "x" * length, "x" * min(length, 500)
    assert title_of(long) == value("title", title=long) == kept
    assert value("rights", rights=long) == kept
    assert value("categories", categories=(long,)) == [kept]
    assert value("author", authors=(Author(name=long),)) == kept
    assert value("author", Origin(source=PLAIN, dialect=Pelican()), authors=(Author(name=long),)) == [kept]
    assert value("source", source=Source(title=long)) == {"title": kept}


@pytest.mark.parametrize(("length", "kept"), [(1999, 1999), (2000, 2000), (2001, 2000), (9000, 2000)])
def test_two_thousand_summary_characters_are_kept(length: int, kept: int) -> None:
    assert value("summary", html="<p>Other.</p>", summary="x" * length) == "x" * kept


@pytest.mark.parametrize(
    ("summary", "html", "written"),
    [
        # 8,000 characters of a summary are read, and 32,000 of a text.
        (" " * 7999 + "x", "<p>Other.</p>", "x"),
        (" " * 8000 + "x", "<p>Other.</p>", ""),
        ("yz", " " * 31_998 + "yz", ""),
        ("yz", " " * 31_999 + "yz", "yz"),
        ("Text …", "<p>Text of it.</p>", ""),
        ("Text [...]", "<p>Text of it.</p>", ""),
        ("<b>Text</b>", "<p>Text of it.</p>", ""),
        ("a &lt;b&gt; c", "<p>a &lt;b&gt; c</p>", ""),
        ("Text of", "", ""),
        ("...", "<p>Other.</p>", ""),
        ("Of it", "<p>Text of it.</p>", "Of it"),
    ],
)
def test_summary_that_repeats_the_text_is_dropped(summary: str, html: str, written: str) -> None:
    assert value("summary", summary=summary, html=html) == written


@pytest.mark.parametrize(
    ("html", "title"),
    [
        ('<p><img src="a" alt="A &amp; B"></p>', "A & B"),
        ('<p><img alt="A"> text</p>', "text"),
        ('<p><img alt=""></p>', "https://e.org/"),
        ('<p><img alt=""><img src="b" alt="B"></p>', "B"),
        ('<p><img src="a" data-alt="B"></p>', "https://e.org/"),
        (" " * 3997 + "<p>x", "https://e.org/"),
        (" " * 3996 + "<p>x", "x"),
        ("<p>a</p>\n <p>b</p>", "a b"),
    ],
)
def test_missing_title_is_taken_from_the_text(html: str, title: str) -> None:
    assert value("title", html=html, link="https://e.org/") == title


@pytest.mark.parametrize(
    ("author", "written"),
    [
        (Author(name="Ada"), "Ada"),
        (Author(name="Ada", email="a@e.org"), "Ada <a@e.org>"),
        (Author(name="a@e.org", email="a@e.org"), "a@e.org"),
        (Author(name="Ada", uri="https://e.org/"), {"name": "Ada", "uri": "https://e.org/"}),
        (Author(name="Ada", uri="javascript:x"), "Ada"),
        (Author(name="A<da", email="a@e.org"), {"name": "A<da", "email": "a@e.org"}),
        (Author(name="A<da"), "A<da"),
        (
            Author(name="Ada", email="a@e.org", uri="https://e.org/"),
            {"name": "Ada", "email": "a@e.org", "uri": "https://e.org/"},
        ),
        (Author(name=" "), []),
    ],
)
def test_author_is_written_in_the_shortest_form(author: Author, written: Any) -> None:
    assert value("author", authors=(author,)) == written
    others = (Author(name="B"), author)
    names = ["B", written] if written else "B"
    if isinstance(written, dict):
        names = [{"name": "B"}, written]
    assert value("author", authors=others) == names
    assert value("author", Origin(source=SourceSettings(name="S", url="u", author=author))) == written


def test_names_of_metadata_hold_no_semicolon() -> None:
    metadata = Origin(source=PLAIN, dialect=Pelican())
    authors = (Author(name="A; B", email="a@e.org"), Author(name=" "), Author(name="A, B"), Author(name="C"))
    assert value("author", metadata, authors=authors) == ["A, B", "C"]


@pytest.mark.parametrize(("ahead", "believed"), [(MAX_AHEAD, True), (MAX_AHEAD + timedelta(seconds=1), False)])
def test_dates_up_to_two_days_ahead_are_accepted(ahead: timedelta, believed: bool) -> None:
    moment, before = NOW + ahead, NOW - timedelta(days=1)
    assert timedelta(days=2) == MAX_AHEAD
    assert published_of(entry(published=moment), NOW) == (moment if believed else None)
    assert published_of(entry(published=moment, updated=before), NOW) == (moment if believed else before)
    assert published_of(entry(updated=moment), NOW) == (moment if believed else None)
    assert ("date" in values_of(entry(published=moment), ORIGIN, NOW)) is believed
    assert bool(value("updated", published=before, updated=moment)) is believed
    values = with_date({"title": "T"}, entry(published=moment), ORIGIN, before, NOW)
    if believed:
        assert values == {"title": "T", "date": "2026-11-25T18:30:00Z"}
    else:
        assert values == {"title": "T", "date": "2026-11-22T18:30:00Z", "date_guessed": True}


@pytest.mark.parametrize(
    ("published", "updated", "written"),
    [(0, 1, "2026-11-23T18:30:01Z"), (0, 0, ""), (1, 0, ""), (None, 0, ""), (0, None, "")],
)
def test_update_time_is_written_if_it_is_later(published: int | None, updated: int | None, written: str) -> None:
    moments = [None if one is None else NOW + timedelta(seconds=one) for one in (published, updated)]
    assert value("updated", published=moments[0], updated=moments[1]) == written


@pytest.mark.parametrize(
    ("own", "of_source", "of_site", "written"),
    [
        ("de", "fr", "en", "de"),
        ("", "fr", "en", "fr"),
        ("EN", "fr", "en", ""),
        ("", "en", "EN", ""),
        ("", "", "en", ""),
    ],
)
def test_language_is_written_if_it_differs(own: str, of_source: str, of_site: str, written: str) -> None:
    source = SourceSettings(name="S", url="u", language=of_source)
    assert value("language", Origin(source=source, language=of_site), language=own) == written


@pytest.mark.parametrize(
    ("source", "url", "written"),
    [
        (None, "https://s.example/feed", {"title": "S", "url": "https://s.example/feed"}),
        (None, "", {"title": "S"}),
        (None, "javascript:x", {"title": "S"}),
        (Source(title="O"), "https://s.example/feed", {"title": "O"}),
        (Source(url="https://o.org/"), "https://s.example/feed", {"url": "https://o.org/"}),
        (Source(url="javascript:x"), "https://s.example/feed", {}),
        (Source(id="i"), "https://s.example/feed", {"title": "S", "url": "https://s.example/feed", "id": "i"}),
        (Source(), "https://s.example/feed", {"title": "S", "url": "https://s.example/feed"}),
    ],
)
def test_source_is_the_first_publisher(source: Source | None, url: str, written: dict[str, str]) -> None:
    assert value("source", Origin(source=PLAIN, url=url), source=source) == written


def test_enclosures_leave_out_missing_values() -> None:
    files = (
        Enclosure(url="javascript:x", type="a/b"),
        Enclosure(url="https://e.org/a", type="", length=0, duration=0, title="  t \n u "),
    )
    assert value("enclosures", enclosures=files) == [
        {"url": "https://e.org/a", "length": "0", "duration": "0", "title": "t u"}
    ]
