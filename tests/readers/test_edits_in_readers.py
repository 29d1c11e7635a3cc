"""Four readers subscribe over HTTP to a site of 200 articles; one is edited: it arrives once, and nothing else turns unread."""

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
    """A reader made with feedparser, whose HTTP it uses: an entry is new when its id or its text was never seen."""

    program = ""

    def __init__(self, program: str, folder: Path, url: str) -> None:
        self._url, self._etag, self._rows = url, None, list[Row]()
        self._seen: set[tuple[str, str]] = set()
        self.statuses: list[int] = []

    def renew(self) -> list[Row]:
        """Fetch the feed unless it is as it was."""
        parsed = feedparser.parse(self._url, etag=self._etag, sanitize_html=False)
        self.statuses.append(parsed.status)
        if parsed.status == 304:
            self._rows = [row._replace(fresh=False) for row in self._rows]
            return self._rows
        assert not parsed.bozo
        self._etag, self._rows = parsed.etag, []
        for entry in parsed.entries:
            known = entry.id, entry.content[0].value
            moment = datetime(*entry.published_parsed[:6], tzinfo=UTC).timestamp()
            self._rows.append(Row(entry.title, known[1], str(int(moment)), known not in self._seen))
            self._seen.add(known)
        return self._rows


ALL: dict[str, Any] = {**READERS, "feedparser": Feedparser}
# What each makes of an edited text; sfeed and rss2email keep what they have, as READERS.md says.
TAKES_EDITS = {"newsboat": True, "sfeed": False, "rss2email": False, "feedparser": True}


def _moment(row: Row) -> int:
    """Return the time of a row, whose form is the reader's."""
    return int(row.moment) if row.moment.isdigit() else int(email.utils.parsedate_to_datetime(row.moment).timestamp())


def _texts(rows: list[Row]) -> Counter[tuple[str, str, str]]:
    """Return how often each row is there, whether new or not."""
    return Counter((row.title, row.text, row.moment) for row in rows)


@pytest.fixture
def mine(generated: Published, publish: Callable[[Path], Published], tmp_path: Path) -> Published:
    """Return a copy of the generated site that a test may change, published."""
    ignored = shutil.ignore_patterns("public", ".feedtool")
    return publish(Path(shutil.copytree(generated.site, tmp_path / "site", ignore=ignored)))


@pytest.mark.parametrize("name", ["atom.xml", "rss.xml"])
@pytest.mark.parametrize("reader", ALL)
def test_edited_article_arrives_once_in_every_reader(
    mine: Published, program: Callable[..., str], tmp_path: Path, reader: str, name: str
) -> None:
    kind = ALL[reader]
    (tmp_path / "reader").mkdir()
    found = program(kind.program) if kind.program else ""
    items = json.loads(mine.get("feed.json"))["items"]
    told = {item["title"]: int(datetime.fromisoformat(item["date_published"]).timestamp()) for item in items}
    assert len(told) == len(items) == 50
    subscription = kind(found, tmp_path / "reader", mine.url + name)
    first = subscription.renew()
    assert {row.title: _moment(row) for row in first} == told
    assert len(first) == 50
    assert sum(not title.isascii() for title in told) > 10
    mine.build()
    assert not any(row.fresh for row in subscription.renew()), "a build without changes brings nothing"

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
