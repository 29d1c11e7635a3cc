"""Test how long tombstones of deleted articles stay, in which feeds and in which order."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from feedtool.config import load_settings
from feedtool.protocols import in_order
from feedtool.publish import Choices, build
from tests.support.site import article, make_site, tree, write

START = datetime(2022, 9, 1, 12, tzinfo=UTC)
TOMBSTONE = re.compile(
    r'deleted-entry[^>]* ref="([^"]+)"[^>]* when="([^"]+)"|deleted-entry[^>]* when="([^"]+)"[^>]* ref="([^"]+)"'
)


def at(site: Path, moment: datetime) -> None:
    time.sleep(0.03)
    build(load_settings(str(site)), mapper=in_order, clock=lambda: moment, choices=Choices())


def tombstones(site: Path, feed: str = "") -> list[tuple[str, str]]:
    text = (site / "public" / feed / "atom.xml").read_text("utf-8")
    return [(match[0] or match[3], match[1] or match[2]) for match in TOMBSTONE.findall(text)]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    articles = {
        f"{name}.md": article(name, front=f"guid: urn:{name}\ncategories: [{one}]\n")
        for name, one in zip("abcd", "XXYY", strict=True)
    }
    folder = make_site(
        tmp_path / "site", articles, '[feeds]\ntombstone_days = 3\n[feeds.select.s]\ncategories = ["Y"]\n'
    )
    at(folder, START)
    return folder


def test_tombstone_stays_for_its_days(site: Path) -> None:
    (site / "articles/a.md").unlink()
    at(site, START + timedelta(hours=1))
    expected = [("urn:a", "2022-09-01T13:00:00Z")]
    for later in (timedelta(hours=2), timedelta(days=3, hours=1, seconds=-1)):
        at(site, START + later)
        assert tombstones(site) == tombstones(site, "categories/x") == expected
        assert tombstones(site, "categories/y") == tombstones(site, "feeds/s") == []
    state = (site / "feedtool.state").read_text("utf-8")
    assert '"urn:a"' in state
    at(site, START + timedelta(days=3, hours=1))
    assert tombstones(site) == []
    assert "urn:a" not in (site / "feedtool.state").read_text("utf-8")


def test_latest_tombstone_comes_first(site: Path) -> None:
    (site / "articles/c.md").unlink()
    at(site, START + timedelta(hours=1))
    (site / "articles/b.md").unlink()
    (site / "articles/a.md").unlink()
    at(site, START + timedelta(hours=2))
    assert [ref for ref, _ in tombstones(site)] == ["urn:a", "urn:b", "urn:c"]
    assert [ref for ref, _ in tombstones(site, "feeds/s")] == ["urn:c"]
    assert tombstones(site)[2][1] == "2022-09-01T13:00:00Z"


def test_tombstones_can_be_disabled(site: Path) -> None:
    settings = (site / "feedtool.toml").read_text("utf-8")
    write(site / "feedtool.toml", settings.replace("tombstone_days = 3", "tombstone_days = 0"))
    (site / "articles/a.md").unlink()
    at(site, START + timedelta(hours=1))
    assert tombstones(site) == []
    assert not (site / "feedtool.state").exists()
    write(site / "feedtool.toml", settings)
    at(site, START + timedelta(hours=2))
    assert tombstones(site) == []


def test_foreign_and_odd_state_records_are_kept(site: Path) -> None:
    others = '{"kind": "other", "key": "k", "x": 1}\n'
    odd = '{"kind": "tombstone", "key": "urn:odd", "when": "never", "feeds": [""]}\n'
    bare = '{"kind": "tombstone", "key": "urn:bare", "when": "2022-09-01T12:00:00Z", "feeds": "x"}\n'
    write(site / "feedtool.state", others + odd + bare)
    at(site, START + timedelta(hours=1))
    # A tombstone with an unreadable date counts as a new one.
    assert tombstones(site) == [("urn:odd", "2022-09-01T13:00:00Z")]
    state = (site / "feedtool.state").read_text("utf-8")
    assert '"other"' in state


def test_deletion_changes_only_feeds_with_the_article(site: Path) -> None:
    before = tree(site / "public")
    (site / "articles/d.md").unlink()
    at(site, START + timedelta(hours=1))
    after = tree(site / "public")
    assert {name for name in before if name.startswith("categories/x/") and before[name] != after[name]} == set()
    assert (
        tombstones(site, "categories/y")
        == tombstones(site, "feeds/s")
        == tombstones(site)
        == [("urn:d", "2022-09-01T13:00:00Z")]
    )
