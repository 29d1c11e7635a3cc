"""Test that the entries in `render_cases/<name>/case.json` render to the exact bytes of the files beside it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest

from feedtool.feeds.formats import atom, jsonfeed, opml, rss
from feedtool.models import Entry, SafeHtml
from tests.support.formatcases import CASES, NAMES, read_case


def rendered(name: str) -> Iterator[tuple[str, bytes]]:
    """Yield every document of a case by its file name."""
    feed, entries, kind = read_case(name)
    yield "atom.xml", b"".join(atom.feed(feed, [atom.entry(entry) for entry in entries]))
    yield "feed.json", b"".join(jsonfeed.feed(feed, [jsonfeed.entry(entry) for entry in entries]))
    if kind == "current":
        yield "rss.xml", b"".join(rss.feed(feed, [rss.entry(entry) for entry in entries]))


def test_there_are_cases() -> None:
    assert len(NAMES) >= 10


@pytest.mark.parametrize("name", NAMES)
def test_case_renders_to_its_expected_bytes(name: str, accept: bool) -> None:
    for file, data in rendered(name):
        expected = CASES / name / file
        if accept:
            expected.write_bytes(data)
        assert data.decode() == expected.read_bytes().decode(), file


def test_opml_renders_to_its_expected_bytes(accept: bool) -> None:
    data = opml.outline(
        "Feeds & more", [read_case(name)[0] for name in ("category", "bare", "podcast")], file="atom.xml"
    )
    if accept:
        (CASES / "feeds.opml").write_bytes(data)
    assert data.decode() == (CASES / "feeds.opml").read_bytes().decode()


def test_entry_has_equal_bytes_in_every_feed() -> None:
    moment = datetime.fromisoformat("2022-07-25T20:11:30+08:00")
    one = Entry(id="a", title="A", published=moment, updated=moment, content=SafeHtml("<p>x</p>"))
    for name in NAMES:
        feed = read_case(name)[0]
        for format_module in (atom, rss):
            assert b"".join(format_module.entry(one)) in b"".join(
                format_module.feed(feed, [format_module.entry(one)] * 2)
            )
        assert b"".join(jsonfeed.entry(one)) in b"".join(jsonfeed.feed(feed, [jsonfeed.entry(one)] * 2))
