"""Test that an edited article arrives once in four feed readers, and that no other article turns unread."""

from __future__ import annotations

import email.utils
import json
import shutil
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import feedparser
import pytest

from tests.support.readerprograms import READERS, Row

if TYPE_CHECKING:
    from tests.readers.conftest import Published

pytestmark = pytest.mark.readers
CORRECTION = "更正：上文的数字有误。"


class Feedparser:
    """A reader based on feedparser and its HTTP client: an entry is new if its id or its text is new."""

    program = ""

    def __init__(self, program: str, folder: Path, url: str) -> None:
        self._url, self._etag, self._rows = url, None, list[Row]()
        self._old_entries: set[tuple[str, str]] = set()
        self.statuses: list[int] = []

    def renew(self) -> list[Row]:
        """Fetch the feed unless it is unchanged."""
        parsed = feedparser.parse(self._url, etag=self._etag, sanitize_html=False)
        self.statuses.append(parsed.status)
        if parsed.status == 304:
            self._rows = [row._replace(fresh=False) for row in self._rows]
            return self._rows
        assert not parsed.bozo
        self._etag, self._rows = parsed.etag, []
        for entry in parsed.entries:
            identity_and_text = entry.id, entry.content[0].value
            moment = datetime(*entry.published_parsed[:6], tzinfo=UTC).timestamp()
            self._rows.append(
                Row(entry.title, identity_and_text[1], str(int(moment)), identity_and_text not in self._old_entries)
            )
            self._old_entries.add(identity_and_text)
        return self._rows


ALL: dict[str, Any] = {**READERS, "feedparser": Feedparser}
# True if the reader shows an edited text; sfeed and rss2email keep the old one, as READERS.md documents.
TAKES_EDITS = {"newsboat": True, "sfeed": False, "rss2email": False, "feedparser": True}


def _moment(row: Row) -> int:
    """Return the time of a row, whose format depends on the reader."""
    return int(row.moment) if row.moment.isdigit() else int(email.utils.parsedate_to_datetime(row.moment).timestamp())


def _texts(rows: list[Row]) -> Counter[tuple[str, str, str]]:
    """Return the number of occurrences of each row, whether new or not."""
    return Counter((row.title, row.text, row.moment) for row in rows)


@pytest.fixture
def mine(generated: Published, publish: Callable[[Path], Published], tmp_path: Path) -> Published:
    """Return a published copy of the generated site that a test may change."""
    ignored = shutil.ignore_patterns("public", ".feedtool")
    return publish(Path(shutil.copytree(generated.site, tmp_path / "site", ignore=ignored)))


@pytest.mark.parametrize("name", ["atom.xml", "rss.xml"])
@pytest.mark.parametrize("reader", ALL)
def test_edited_article_arrives_once_in_every_reader(
    mine: Published, program: Callable[..., str], tmp_path: Path, reader: str, name: str
) -> None:
    kind = ALL[reader]
    (tmp_path / "reader").mkdir()
    program_path = program(kind.program) if kind.program else ""
    items = json.loads(mine.get("feed.json"))["items"]
    published_times = {item["title"]: int(datetime.fromisoformat(item["date_published"]).timestamp()) for item in items}
    assert len(published_times) == len(items) == 50
    subscription = kind(program_path, tmp_path / "reader", mine.url + name)
    first = subscription.renew()
    assert {row.title: _moment(row) for row in first} == published_times
    assert len(first) == 50
    assert sum(not title.isascii() for title in published_times) > 10
    mine.build()
    assert not any(row.fresh for row in subscription.renew()), "a build without changes must bring nothing new"

    title = next(item["title"] for item in items[10:] if item["title"].startswith("沪指"))
    (file,) = (path for path in (mine.site / "articles").rglob("*.md") if f"'{title}'" in path.read_text("utf-8"))
    file.write_text(f"{file.read_text('utf-8')}<p>{CORRECTION}</p>\n", encoding="utf-8")
    written = mine.build().json["written"]
    assert 0 < written < 60

    for expected in (TAKES_EDITS[reader], False):
        before = _texts(first)
        rows = subscription.renew()
        changed = [row for row in rows if before[row.title, row.text, row.moment] == 0]
        assert [row.title for row in changed] == ([title] if expected else [])
        assert all(CORRECTION in row.text for row in changed)
        assert [row.title for row in rows if row.fresh and row.title != title] == []
        assert len(rows) == 50
        first = rows


def test_unchanged_feed_is_not_sent_again(mine: Published, tmp_path: Path) -> None:
    subscription = Feedparser("", tmp_path, mine.url + "atom.xml")
    for _ in range(2):
        subscription.renew()
        mine.build()
    assert subscription.statuses == [200, 304]
