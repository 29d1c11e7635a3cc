"""Entries written down in `render_cases/<name>/case.json` render to the very bytes that lie beside them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from feedtool.feeds.formats import atom, jsonfeed, opml, rss
from feedtool.models import Author, Category, Enclosure, Entry, Feed, SafeHtml, Source, Tombstone

CASES = Path(__file__).parent / "render_cases"
NAMES = sorted(path.parent.name for path in CASES.glob("*/case.json"))
MANY = {"authors": Author, "categories": Category, "enclosures": Enclosure, "tombstones": Tombstone}
ONE = {"category": Category, "source": Source}
DATES = ("published", "updated", "when")


def noun(kind: Any, facts: dict[str, Any]) -> Any:
    """Return the noun of `feedtool.models` that `facts` spell out in JSON."""
    values = {}
    for name, value in facts.items():
        if name in MANY:
            values[name] = tuple(noun(MANY[name], one) for one in value)
        elif name in ONE:
            values[name] = noun(ONE[name], value)
        else:
            values[name] = datetime.fromisoformat(value) if name in DATES else value
    return kind(**values)


def read_case(name: str) -> tuple[Feed, list[Entry], atom.Kind]:
    """Return the feed, the entries and the kind of document that one case is about."""
    case = json.loads((CASES / name / "case.json").read_text(encoding="utf-8"))
    return noun(Feed, case["feed"]), [noun(Entry, entry) for entry in case["entries"]], case["kind"]


def rendered(name: str) -> Iterator[tuple[str, bytes]]:
    """Yield every document of a case by its file name."""
    feed, entries, kind = read_case(name)
    yield "atom.xml", b"".join(atom.feed(feed, [atom.entry(entry) for entry in entries], kind=kind))
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
    data = opml.outline("Feeds & more", [read_case(name)[0] for name in ("category", "bare", "podcast")])
    if accept:
        (CASES / "feeds.opml").write_bytes(data)
    assert data.decode() == (CASES / "feeds.opml").read_bytes().decode()


def test_entry_has_equal_bytes_in_every_feed() -> None:
    moment = datetime.fromisoformat("2022-07-25T20:11:30+08:00")
    one = Entry(id="a", title="A", published=moment, updated=moment, content=SafeHtml("<p>x</p>"))
    for name in NAMES:
        feed = read_case(name)[0]
        for room in (atom, rss):
            assert b"".join(room.entry(one)) in b"".join(room.feed(feed, [room.entry(one)] * 2))
        assert b"".join(jsonfeed.entry(one)) in b"".join(jsonfeed.feed(feed, [jsonfeed.entry(one)] * 2))
