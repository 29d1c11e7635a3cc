"""Test that the settings decide which option of a source makes the next visit read its feed anew, without another list."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from feedtool.config import SourceSettings, parse_settings
from feedtool.config.field_types import Text
from feedtool.config.tables import SettingsTable, entry_option, keys_of, table, visit_option
from feedtool.ingesting import engines
from feedtool.ingesting.engines import digest_of
from feedtool.ingesting.schedule import Health
from feedtool.ingesting.source_selection import is_read_differently
from feedtool.models import Author
from tests.support.ingestworld import NOW, URL, World, entry, run
from tests.support.site import make_site, write

PLAIN = SourceSettings(name="Wire", url=URL)
# Another value of each option, in TOML and as the settings hold it.
CHANGES: dict[str, tuple[str, Any]] = {
    "name": ('"Other"', "Other"),
    "url": ('"https://other.example/feed"', "https://other.example/feed"),
    "categories": ('["News"]', ("News",)),
    "author": ('"Ada"', Author(name="Ada")),
    "tags": ('["daily"]', ("daily",)),
    "limit": ("3", 3),
    "include": ('"Story"', "Story"),
    "exclude": ('"Nothing"', "Nothing"),
    "remove": ('[".ad"]', (".ad",)),
    "full_text": ("true", True),
    "timezone": ('"Asia/Shanghai"', "Asia/Shanghai"),
    "language": ('"de"', "de"),
    "on_update": ('"keep"', "keep"),
    "folder": ('"elsewhere"', "elsewhere"),
    "headers": ('{ X-Reader = "1" }', (("X-Reader", "1"),)),
    "enabled": ("false", False),
}
IDENTITY = {"name", "url"}
"""These name another source or another document, which has no earlier visit."""


def test_every_option_is_classified_and_tried() -> None:
    keys = keys_of(SourceSettings)
    assert all(isinstance(key.rereads, bool) for key in keys.values())
    assert CHANGES.keys() == keys.keys()


@pytest.mark.parametrize("name", CHANGES)
def test_mark_decides_whether_settings_differ(name: str) -> None:
    settings = parse_settings(environment={})
    health = Health(digest=digest_of(b"any", settings, PLAIN))
    changed = replace(PLAIN, **{name: CHANGES[name][1]})
    assert is_read_differently(settings, changed, health) is keys_of(SourceSettings)[name].rereads


@pytest.mark.parametrize("name", sorted(CHANGES.keys() - IDENTITY))
def test_marked_option_alone_reads_the_feed_anew(tmp_path: Path, name: str) -> None:
    source = f'[[sources]]\nname = "Wire"\nurl = "{URL}"\n'
    site = make_site(tmp_path, {}, source)
    world = World()
    world.pages[URL] = [entry(1, link=None), entry(2, link=None)]
    run(site, world, "Wire")
    run(site, world, "Wire", now=NOW.replace(day=24))
    assert [request.etag is None for request in world.requests] == [True, False]
    assert world.read == ["Wire"]
    text = (site / "feedtool.toml").read_text("utf-8")
    write(site / "feedtool.toml", f"{text}{name} = {CHANGES[name][0]}\n")
    report = run(site, world, "Wire", now=NOW.replace(day=25))
    rereads = keys_of(SourceSettings)[name].rereads
    assert report.problems == ()
    assert (world.requests[-1].etag is None) is rereads
    assert world.read == ["Wire"] * (2 if rereads else 1)
    # Once read, the feed is asked for conditionally again.
    run(site, world, "Wire", now=NOW.replace(day=26))
    assert world.requests[-1].etag is not None


def test_new_option_takes_part_by_its_field_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    @table
    class WithMore(SettingsTable):
        name: str = visit_option(Text(), "Name.")
        on_update: str = entry_option(Text(), "As in [ingest].", default="")
        prefix: str = entry_option(Text(), "Text before each title.", default="")
        note: str = visit_option(Text(), "A note for people.", default="")

    monkeypatch.setattr(engines, "SourceSettings", WithMore)
    settings = parse_settings(environment={})

    def digest(**values: str) -> str:
        return digest_of(b"x", settings, WithMore(name="a", **values))  # type: ignore[arg-type]

    assert digest(prefix="p") != digest()
    assert digest(note="n") == digest()
