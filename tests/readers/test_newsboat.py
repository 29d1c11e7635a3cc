"""Test how newsboat shows served feeds, and what it shows as unread after an edit."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

import pytest

from tests.support.site import article, make_site

if TYPE_CHECKING:
    from tests.readers.conftest import Published

pytestmark = pytest.mark.readers


class Item(NamedTuple):
    """A row in the cache of newsboat."""

    guid: str
    title: str
    author: str
    moment: int
    content: str
    unread: int


class Subscription:
    """newsboat with one feed and its own cache, because it identifies items by guid across feeds."""

    def __init__(self, newsboat: str, folder: Path, url: str) -> None:
        folder.mkdir(parents=True)
        self._folder = folder
        self._words = [newsboat, "-u", "urls", "-c", "cache.db", "-C", "config", "-x", "reload"]
        (folder / "urls").write_text(f"{url}\n")
        # An item with new content turns unread, so that every change by a rebuild shows.
        (folder / "config").write_text(f'reset-unread-on-update "{url}"\ndownload-retries 1\ndownload-timeout 20\n')

    def reload(self) -> list[Item]:
        """Fetch the feed and return its items, the newest first, as newsboat lists them."""
        home = {**os.environ, "HOME": str(self._folder), "LC_ALL": "C.UTF-8"}
        subprocess.run(self._words, cwd=self._folder, env=home, timeout=60, check=True, capture_output=True)
        with closing(sqlite3.connect(self._folder / "cache.db")) as cache:
            query = "SELECT guid, title, author, pubDate, content, unread FROM rss_item ORDER BY pubDate DESC, id"
            return [Item(*row) for row in cache.execute(query)]

    def read_all(self) -> None:
        """Mark every item as read."""
        with closing(sqlite3.connect(self._folder / "cache.db")) as cache:
            cache.execute("UPDATE rss_item SET unread=0")
            cache.commit()


@pytest.fixture
def subscribe(program: Callable[..., str], tmp_path: Path) -> Callable[[str], Subscription]:
    """Return a function that subscribes a newsboat to an address."""
    newsboat = program("newsboat")
    count = iter(range(100))
    return lambda url: Subscription(newsboat, tmp_path / f"newsboat-{next(count)}", url)


@pytest.mark.parametrize("name", ["atom.xml", "rss.xml"])
def test_newsboat_lists_titles_authors_and_dates(
    example: Published, subscribe: Callable[[str], Subscription], name: str
) -> None:
    items = subscribe(example.url + name).reload()
    feed = json.loads(example.get("feed.json"))
    assert [item.title for item in items] == [item["title"] for item in feed["items"]]
    assert {item.guid for item in items} == {item["id"] for item in feed["items"]}
    seed = next(item for item in items if item.title.startswith("上海市疫情防控"))
    assert seed.title == "上海市疫情防控工作领导小组召开专题会议：以快制快处置新发疫情"
    assert (seed.author, seed.moment) == ("新浪财经", 1658751090)
    assert "&#123;" not in seed.content
    assert "appendQr" not in seed.content


def test_every_category_feed_can_be_subscribed_to(example: Published, subscribe: Callable[[str], Subscription]) -> None:
    folders = sorted(path.name for path in (example.output / "categories").iterdir())
    assert {"金融", "新浪财经", "新浪财经－国內"} <= set(folders)
    for folder in ("金融", "新浪财经", "新浪财经－国內"):
        items = subscribe(f"{example.url}categories/{quote(folder)}/atom.xml").reload()
        assert "上海市疫情防控工作领导小组召开专题会议：以快制快处置新发疫情" in [item.title for item in items]


@pytest.mark.parametrize("name", ["atom.xml", "rss.xml"])
def test_newsboat_lists_newest_fifty_in_order(
    generated: Published, subscribe: Callable[[str], Subscription], name: str
) -> None:
    feed = json.loads(generated.get("feed.json"))
    items = subscribe(generated.url + name).reload()
    assert len(items) == len(feed["items"]) == 50
    moments = {item["title"]: datetime.fromisoformat(item["date_published"]).timestamp() for item in feed["items"]}
    assert {item.title: item.moment for item in items} == moments
    assert [item.moment for item in items] == list(moments.values())
    assert all(item.moment and item.unread and item.author for item in items)
    assert any("\u4e00" <= character <= "\u9fff" for item in items for character in item.title)


def test_unchanged_rebuild_leaves_nothing_unread(
    generated: Published, subscribe: Callable[[str], Subscription]
) -> None:
    subscription = subscribe(generated.url + "atom.xml")
    first = subscription.reload()
    subscription.read_all()
    generated.build()
    again = subscription.reload()
    assert [(item.guid, item.content) for item in again] == [(item.guid, item.content) for item in first]
    assert not any(item.unread for item in again)


@pytest.mark.parametrize("name", ["atom.xml", "rss.xml"])
def test_only_edited_and_new_articles_turn_unread(
    publish: Callable[[Path], Published],
    subscribe: Callable[[str], Subscription],
    tmp_path: Path,
    name: str,
) -> None:
    texts = {
        f"{number}.md": article(f"第{number}号", date=f"2022-07-{number:02}T08:00:00+08:00") for number in range(1, 9)
    }
    published = publish(make_site(tmp_path / "site", texts))
    subscription = subscribe(published.url + name)
    assert len(subscription.reload()) == 8
    subscription.read_all()

    edited = article("第3号", date="2022-07-03T08:00:00+08:00", body="<p>Corrected.</p>\n")
    (published.site / "articles" / "3.md").write_text(edited, encoding="utf-8")
    published.build()
    items = subscription.reload()
    assert [(item.title, item.content.strip()) for item in items if item.unread] == [("第3号", "<p>Corrected.</p>")]
    assert len(items) == 8

    subscription.read_all()
    (published.site / "articles" / "new.md").write_text(
        article("新的", date="2022-07-20T08:00:00+08:00"), encoding="utf-8"
    )
    published.build()
    items = subscription.reload()
    assert [item.title for item in items if item.unread] == ["新的"]
    assert len(items) == 9


def test_moved_or_retitled_articles_stay_read(
    publish: Callable[[Path], Published], subscribe: Callable[[str], Subscription], tmp_path: Path
) -> None:
    texts = {f"{name}.md": article(name, front=f"categories: {name}\n") for name in ("one", "two", "three")}
    published = publish(make_site(tmp_path / "site", texts))
    subscription = subscribe(published.url + "atom.xml")
    before = subscription.reload()
    subscription.read_all()
    articles = published.site / "articles"
    (articles / "deeper").mkdir()
    (articles / "one.md").rename(articles / "deeper" / "one.md")
    (articles / "two.md").write_text(article("A better title", front="categories: two\n"), encoding="utf-8")
    (articles / "three.md").write_text(article("three", front="categories: other\n"), encoding="utf-8")
    published.build()
    after = subscription.reload()
    assert sorted(item.guid for item in after) == sorted(item.guid for item in before)
    assert [item.title for item in after if item.unread] == []
