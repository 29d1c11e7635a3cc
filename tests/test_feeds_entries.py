"""Test how an article becomes an entry: picture, summary, people, categories, files and source."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from feedtool.feeds.entries import EntryRules, Explained, entry_of
from feedtool.html import Policy
from feedtool.models import Article, Author, Enclosure, Entry, Source

NOW = datetime(2022, 7, 25, tzinfo=UTC)
BASE = "https://example.org/feeds/"
PHOTO = '<p>Text.</p><img src="https://e.org/photo.jpg">'


def make_entry(rules: dict[str, Any] | None = None, *, url: str | None = None, **facts: Any) -> Entry:
    return explained(rules, url=url, **facts)[0]


def explained(rules: dict[str, Any] | None = None, *, url: str | None = None, **facts: Any) -> tuple[Entry, Explained]:
    article = Article(
        **{"path": "a.md", "id": "urn:x:1", "title": "T", "published": NOW, "updated": NOW, "body": PHOTO, **facts}
    )
    notes = Explained()
    entry, _ = entry_of(article, EntryRules(Policy(), BASE, **(rules or {})), url=url, explained=notes)
    assert entry_of(article, EntryRules(Policy(), BASE, **(rules or {})), url=url)[0] == entry
    return entry, notes


@pytest.mark.parametrize(
    ("thumbnail", "body", "rules", "image", "why"),
    [
        (None, PHOTO, {}, "https://e.org/photo.jpg", "the first real picture of the body"),
        (None, "<p>x</p>", {}, None, "none: the body has no real picture"),
        ("", PHOTO, {}, None, "none: the front matter asks for no thumbnail"),
        ("https://e.org/t.png", PHOTO, {}, "https://e.org/t.png", "named by the front matter"),
        ("t.png", PHOTO, {}, f"{BASE}t.png", "named by the front matter"),
        ("javascript:x", PHOTO, {}, "https://e.org/photo.jpg",
         "the first real picture of the body, because the one in the front matter is not an http address"),
        ("https://picsum.photos/1", PHOTO, {}, "https://picsum.photos/1", "named by the front matter"),
        ("https://picsum.photos/1", PHOTO, {"distrust_thumbnails": True}, "https://e.org/photo.jpg",
         "the first real picture of the body, because the one in the front matter is a known placeholder"),
        ("https://e.org/t.png", PHOTO, {"distrust_thumbnails": True}, "https://e.org/t.png", "named by the front matter"),
        ("https://wsrv.nl/?url=e.org/t.png", PHOTO, {}, "https://e.org/t.png", "named by the front matter"),
    ],
)  # fmt: skip
def test_article_image_is_chosen_with_a_reason(
    thumbnail: str | None, body: str, rules: dict[str, Any], image: str | None, why: str
) -> None:
    entry, notes = explained(rules, thumbnail=thumbnail, body=body)
    assert (entry.image, notes.thumbnail) == (image, why)


LONG = "Words of a sentence. " * 60


@pytest.mark.parametrize(
    ("summary", "body", "length", "expected"),
    [
        ("In <b>short</b> &amp; plain.", "<p>Text.</p>", 240, "In short & plain."),
        (None, "<p>One. Two three four.</p>", 240, "One. Two three four."),
        (None, "<p>One. Two three four.</p>", 8, "One.…"),
        (None, "<p>The beginning.</p><!--more--><p>The rest.</p>", 240, "The beginning."),
        (None, "<p>The beginning.</p><!-- MORE --><p>The rest.</p>", 5, "The beginning."),
        (None, "<p>The beginning.</p><!-- most --><p>The rest.</p>", 240, "The beginning. The rest."),
        (None, "", 240, ""),
    ],
)
def test_summary_is_written_text_or_the_beginning(summary: str | None, body: str, length: int, expected: str) -> None:
    assert make_entry({"summary_length": length}, summary=summary, body=body).summary == expected


@pytest.mark.parametrize(("length", "most"), [(240, 1000), (999, 1000), (1000, 1000), (1100, 1100)])
def test_written_summary_has_a_larger_limit(length: int, most: int) -> None:
    letters = "x" * 3000
    for entry in (
        make_entry({"summary_length": length}, summary=letters),
        make_entry({"summary_length": length}, body=f"<p>{letters}</p><!--more-->x"),
    ):
        assert len(entry.summary) == most
    assert len(make_entry({"summary_length": length}, body=f"<p>{letters}</p>").summary) == length


def test_relative_urls_resolve_against_the_article() -> None:
    body = '<a href="x">y</a>'
    assert make_entry(body=body).content == f'<a href="{BASE}x">y</a>'
    assert make_entry(body=body, url="https://example.org/p/").content == f'<a href="{BASE}x">y</a>'
    options = {"permalink": "/p/"}
    assert (
        make_entry(options, body=body, url="https://example.org/p/").content
        == '<a href="https://example.org/p/x">y</a>'
    )
    assert make_entry(options, body=body).content == f'<a href="{BASE}x">y</a>'
    linked = make_entry(options, body=body, url="https://example.org/p/", link="https://e.org/l/", thumbnail="t.png")
    assert (linked.content, linked.image) == ('<a href="https://e.org/l/x">y</a>', "https://e.org/l/t.png")
    assert linked.url == "https://example.org/p/"


def test_entry_copies_the_metadata_of_its_article() -> None:
    entry = make_entry(
        id="urn:\x00x:1", title="A\u202e  b\x00", language="fr", rights=" CC  BY\x00 ", categories=("A", "b\x00"), tags=("A", "c"),
        authors=(Author(name=" Ada\x00", email="a@e.org", uri="/me"), Author(name="Bo", uri="javascript:x")),
        enclosures=(
            Enclosure(url="a.mp3", type="audio/mpeg", length=3, duration=4, title=" T\x00 "),
            Enclosure(url="javascript:x", type="audio/mpeg"), Enclosure(url="https://e.org/b.mp3", type="audio/mpeg"),
        ),
    )  # fmt: skip
    assert (entry.id, entry.title, entry.language, entry.rights) == ("urn:x:1", "A b", "fr", "CC BY")
    named = [(category.name, category.scheme) for category in entry.categories]
    assert named == [("A", f"{BASE}categories/"), ("b", f"{BASE}categories/"), ("c", f"{BASE}tags/")]
    assert entry.authors == (Author(name="Ada", email="a@e.org", uri="https://example.org/me"), Author(name="Bo"))
    assert entry.enclosures == (
        Enclosure(url=f"{BASE}a.mp3", type="audio/mpeg", length=3, duration=4, title="T"),
        Enclosure(url="https://e.org/b.mp3", type="audio/mpeg"),
    )
    assert make_entry(rights="").rights is None
    assert make_entry({"full": False}).content == ""
    assert make_entry({"full": False}).summary == "Text."


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (None, None),
        (Source(title=" T\x00 ", url="https://e.org/f", id="i"), Source(title="T", url="https://e.org/f", id="i")),
        (Source(title="T", url="/f", id="i"), Source(title="T", id="i")),
        (Source(url="https://e.org/f"), Source(url="https://e.org/f")),
        (Source(url="javascript:x", id="i"), None),
        (Source(id="i"), None),
    ],
)
def test_source_needs_a_title_or_an_address(source: Source | None, expected: Source | None) -> None:
    assert make_entry(source=source).source == expected


def test_cleaning_losses_are_reported_at_the_body_line() -> None:
    article = Article(path="b/a.md", id="urn:x:1", title="T", published=NOW, updated=NOW, body="<p>x</p>", line=7)
    policy = Policy(remove=("[[",))
    _, problems = entry_of(article, EntryRules(policy, BASE, prefix="posts/"), url=None)
    assert [(one.file, one.line, one.code, one.severity) for one in problems] == [
        ("posts/b/a.md", 7, "FT015", "warning")
    ]
    assert entry_of(article, EntryRules(Policy(), BASE), url=None)[1] == ()
