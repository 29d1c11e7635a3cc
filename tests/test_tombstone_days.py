"""How long a deleted article's tombstone stays, in which feeds, in which order, and what becomes of what it says."""

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
GRAVE = re.compile(
    r'deleted-entry[^>]* ref="([^"]+)"[^>]* when="([^"]+)"|deleted-entry[^>]* when="([^"]+)"[^>]* ref="([^"]+)"'
)


def at(site: Path, moment: datetime) -> None:
    time.sleep(0.03)
    build(load_settings(str(site)), mapper=in_order, clock=lambda: moment, choices=Choices())


def graves(site: Path, feed: str = "") -> list[tuple[str, str]]:
    text = (site / "public" / feed / "atom.xml").read_text("utf-8")
    return [(found[0] or found[3], found[1] or found[2]) for found in GRAVE.findall(text)]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    articles = {
        f"{name}.md": article(name, front=f"guid: urn:{name}\ncategories: [{one}]\n")
        for name, one in zip("abcd", "XXYY", strict=True)
    }
    made = make_site(tmp_path / "site", articles, '[feeds]\ntombstone_days = 3\n[feeds.select.s]\ncategories = ["Y"]\n')
    at(made, START)
    return made


def test_tombstone_stays_for_its_days(site: Path) -> None:
    (site / "articles/a.md").unlink()
    at(site, START + timedelta(hours=1))
    gone = [("urn:a", "2022-09-01T13:00:00Z")]
    for later in (timedelta(hours=2), timedelta(days=3, hours=1, seconds=-1)):
        at(site, START + later)
        assert graves(site) == graves(site, "categories/x") == gone
        assert graves(site, "categories/y") == graves(site, "feeds/s") == []
    state = (site / "feedtool.state").read_text("utf-8")
    assert '"urn:a"' in state
    at(site, START + timedelta(days=3, hours=1))
    assert graves(site) == []
    assert "urn:a" not in (site / "feedtool.state").read_text("utf-8")


def test_latest_tombstone_comes_first(site: Path) -> None:
    (site / "articles/c.md").unlink()
    at(site, START + timedelta(hours=1))
    (site / "articles/b.md").unlink()
    (site / "articles/a.md").unlink()
    at(site, START + timedelta(hours=2))
    assert [ref for ref, _ in graves(site)] == ["urn:a", "urn:b", "urn:c"]
    assert [ref for ref, _ in graves(site, "feeds/s")] == ["urn:c"]
    assert graves(site)[2][1] == "2022-09-01T13:00:00Z"


def test_tombstones_can_be_disabled(site: Path) -> None:
    settings = (site / "feedtool.toml").read_text("utf-8")
    write(site / "feedtool.toml", settings.replace("tombstone_days = 3", "tombstone_days = 0"))
    (site / "articles/a.md").unlink()
    at(site, START + timedelta(hours=1))
    assert graves(site) == []
    assert not (site / "feedtool.state").exists()
    write(site / "feedtool.toml", settings)
    at(site, START + timedelta(hours=2))
    assert graves(site) == []


def test_foreign_and_odd_state_records_are_kept(site: Path) -> None:
    others = '{"kind": "other", "key": "k", "x": 1}\n'
    odd = '{"kind": "tombstone", "key": "urn:odd", "when": "never", "feeds": [""]}\n'
    bare = '{"kind": "tombstone", "key": "urn:bare", "when": "2022-09-01T12:00:00Z", "feeds": "x"}\n'
    write(site / "feedtool.state", others + odd + bare)
    at(site, START + timedelta(hours=1))
    # A tombstone whose date can't be read is one of now.
    assert graves(site) == [("urn:odd", "2022-09-01T13:00:00Z")]
    state = (site / "feedtool.state").read_text("utf-8")
    assert '"other"' in state


def test_deletion_changes_only_feeds_with_the_article(site: Path) -> None:
    before = tree(site / "public")
    (site / "articles/d.md").unlink()
    at(site, START + timedelta(hours=1))
    after = tree(site / "public")
    assert {name for name in before if name.startswith("categories/x/") and before[name] != after[name]} == set()
    assert (
        graves(site, "categories/y") == graves(site, "feeds/s") == graves(site) == [("urn:d", "2022-09-01T13:00:00Z")]
    )
