"""Test names of folders and files character by character, and podcasts and file types row by row."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from feedtool.feedparse.fields import enclosures, type_of
from feedtool.feeds.formats import rss
from feedtool.models import Author, Category, Enclosure, Entry, Feed, SafeHtml
from feedtool.slugs import file_name, slug

TABLES = Path(__file__).parent / "data" / "tables"
NAMES = tomllib.loads((TABLES / "names.toml").read_text("utf-8"))
FEEDS = tomllib.loads((TABLES / "feeds.toml").read_text("utf-8"))
HASH = re.compile(r"-[0-9a-f]{6}(?=\.md$|$)")
NOW = datetime(2022, 7, 25, tzinfo=UTC)


def points(ranges: str) -> Iterator[int]:
    """Yield the code points of hexadecimal ranges."""
    for one in ranges.split():
        first, _, last = one.partition("-")
        yield from range(int(first, 16), int(last or first, 16) + 1)


def test_characters_are_kept_dropped_or_replaced() -> None:
    planes = {plane + last for plane in range(0, 0x110000, 0x10000) for last in (0xFFFE, 0xFFFF)}
    dropped = planes.union(points(NAMES["dropped"]))
    spaces = set(points(NAMES["spaces"]))
    around = {code + step for code in planes | {0xE0000, 0xE0FFF} for step in (-1, 0, 1)}
    for code in sorted({*range(0x3400), *range(0xD700, 0x10002), *around} - {0x110000}):
        for make, dashes in (
            (slug, NAMES["slug_dashes"]),
            (lambda name: file_name(name, suffix=""), NAMES["file_dashes"]),
        ):
            result = HASH.sub("", make(f"xa{chr(code)}bx"))
            if code in dropped:
                assert result == "xabx", hex(code)
            elif code in spaces or code in DASHES[dashes]:
                assert result == "xa-bx", hex(code)
            else:
                assert result not in ("xabx", "xa-bx") or chr(code) == "-", hex(code)


DASHES = {ranges: frozenset(points(ranges)) for ranges in (NAMES["slug_dashes"], NAMES["file_dashes"])}


@pytest.mark.parametrize("name", NAMES["reserved"].split())
def test_windows_reserved_name_is_changed(name: str) -> None:
    for spelling in (name, name.upper(), f"{name}.txt", f"{name.title()}.a.b"):
        for safe in (slug(spelling), file_name(spelling), file_name(spelling, suffix="")):
            assert HASH.search(safe), (spelling, safe)
            assert safe.partition(".")[0].lower() != name


@pytest.mark.parametrize("name", NAMES["of_sites"].split())
def test_usual_site_file_name_is_changed(name: str) -> None:
    for ending in NAMES["endings_of_sites"].split():
        for spelling in (f"{name}.{ending}", f"{name}.{ending}".upper()):
            assert HASH.search(slug(spelling)), spelling
            assert HASH.search(file_name(spelling)), spelling
    assert slug(name) == name


@pytest.mark.parametrize("name", NAMES["free"].split())
def test_name_resembling_a_reserved_one_is_kept(name: str) -> None:
    assert (slug(name), file_name(name)) == (name, f"{name}.md")


def podcast(podcast_category: str, **more: object) -> str:
    """Return the RSS feed of a podcast."""
    entry = Entry(
        id="urn:x:1", title="One", published=NOW, updated=NOW, url="https://e.org/1", content=SafeHtml("<p>x</p>"),
        enclosures=(Enclosure(url="https://e.org/a.mp3", type="audio/mpeg", length=1, duration=60),),
    )  # fmt: skip
    feed = Feed(
        id="urn:x:f", title="T", url="https://e.org/", path="", updated=NOW, language="en", audio=True,
        authors=(Author(name="Ada", email="ada@e.org"),), podcast_category=podcast_category,
    )  # fmt: skip
    return b"".join(rss.feed(replace(feed, **more), [rss.entry(entry)])).decode()


@pytest.mark.parametrize("category", FEEDS["podcast_categories"])
def test_apple_category_makes_a_podcast(category: str) -> None:
    line = f'<itunes:category text="{category.replace("&", "&amp;")}"/>'
    assert line in podcast(category)
    assert line in podcast("", category=Category(name=category))
    assert "<itunes:duration>60</itunes:duration>" in podcast(category)
    other = podcast("News", category=Category(name=category))
    assert line in other


@pytest.mark.parametrize("category", FEEDS["no_podcast_categories"])
def test_other_category_makes_an_ordinary_feed(category: str) -> None:
    assert "<itunes:" not in podcast(category)
    assert "<enclosure " in podcast(category)
    assert '<itunes:category text="News"/>' in podcast("News", category=Category(name=category))


@pytest.mark.parametrize("ending", [*FEEDS["episodes"].split(), *FEEDS["no_episodes"].split()])
def test_episode_is_recognised_by_extension(ending: str) -> None:
    entry = Entry(
        id="urn:x:1", title="One", published=NOW, updated=NOW, image="https://e.org/i.jpg",
        enclosures=(Enclosure(url=f"https://e.org/a.{ending}", type="audio/mpeg", length=1, duration=0),),
    )  # fmt: skip
    item = b"".join(rss.entry(entry)).decode()
    assert ("<itunes:duration>0</itunes:duration>" in item) == (ending in FEEDS["episodes"].split())
    assert ('<itunes:image href="https://e.org/i.jpg"/>' in item) == (ending in FEEDS["episodes"].split())
    silent = replace(entry, enclosures=(replace(entry.enclosures[0], type="application/pdf"),))
    assert "<itunes:" not in b"".join(rss.entry(silent)).decode()


@pytest.mark.parametrize("ending", [*FEEDS["channel_images"].split(), *FEEDS["no_channel_images"].split()])
def test_channel_image_is_recognised_by_extension(ending: str) -> None:
    address = f"https://e.org/i.{ending}"
    assert (f"<image><url>{address}</url>" in podcast("News", image=address)) == (
        ending in FEEDS["channel_images"].split()
    )
    assert f'<itunes:image href="{address}"/>' in podcast("News", image=address)


@pytest.mark.parametrize(("ending", "kind"), FEEDS["types"].items())
def test_enclosure_type_follows_the_extension(ending: str, kind: str) -> None:
    for address in (
        f"https://e.org/a.{ending}",
        f"https://e.org/a.{ending.upper()}?b=c.xyz#d.e",
        f"https://e.org/a.{ending}#t=1.5",
    ):
        assert type_of(address) == kind
        for declared in ("", "text/html", "audio", "text/html; charset=utf-8"):
            node = {"links": [{"rel": "enclosure", "href": address, "type": declared}]}
            assert [one.type for one in enclosures(node, "")] == [kind or declared], declared


@pytest.mark.parametrize(("medium", "kind"), FEEDS["mediums"].items())
def test_type_without_extension_follows_the_medium(medium: str, kind: str) -> None:
    assert type_of("https://e.org/a", medium) == kind
    assert type_of("https://e.org/a.pdf", medium) == "application/pdf"
