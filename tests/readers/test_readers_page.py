"""READERS.md against real readers: each cell of its table of tried readers is what happens when a subscription is renewed."""

from __future__ import annotations

import email
import os
import re
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from email import policy
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.support.site import ROOT, article, make_site

if TYPE_CHECKING:
    from tests.readers.conftest import Published

pytestmark = pytest.mark.readers
DATE = "2022-07-02T08:00:00+08:00"
BEFORE = {name: article(f"Article {name}", date=f"2022-07-0{n}T08:00:00+08:00") for n, name in enumerate("abc", 1)}
ID = "guid: tag:example.org,2022-07-02:b\n"
CHANGES: dict[str, str | None] = {
    "its text is edited": article("Article b", date=DATE, body="<p>Corrected.</p>\n"),
    "its text is edited and `updated` set": article(
        "Article b", date=DATE, front="updated: 2022-08-01T00:00:00Z\n", body="<p>Corrected.</p>\n"
    ),
    "its title is edited": article("A better title", date=DATE),
    "its date moves": article("Article b", date="2022-07-05T08:00:00+08:00", front=ID),
    "its id changes": article("Article b", date=DATE, front="guid: urn:example:b\n"),
    "it is deleted": None,
}


class Row(NamedTuple):
    """One article as a reader lists it; `fresh` says that it is shown as new."""

    title: str
    text: str
    moment: str
    fresh: bool


class Newsboat:
    """newsboat as it is installed, without settings."""

    program = "newsboat"

    def __init__(self, program: str, folder: Path, url: str) -> None:
        self._folder = folder
        self._words = [program, "-u", "urls", "-c", "cache.db", "-C", "config", "-x", "reload"]
        (folder / "urls").write_text(f"{url}\n")
        (folder / "config").write_text("")

    def renew(self) -> list[Row]:
        """Fetch the feed; return what is listed, and take all of it for read."""
        home = {**os.environ, "HOME": str(self._folder), "LC_ALL": "C.UTF-8"}
        subprocess.run(self._words, cwd=self._folder, env=home, timeout=60, check=True, capture_output=True)
        with closing(sqlite3.connect(self._folder / "cache.db")) as cache:
            query = "SELECT title, content, pubDate, unread FROM rss_item WHERE deleted = 0"
            rows = [Row(title, text, str(moment), bool(unread)) for title, text, moment, unread in cache.execute(query)]
            cache.execute("UPDATE rss_item SET unread = 0")
            cache.commit()
        return rows


class Sfeed:
    """sfeed_update, whose files hold a line an item."""

    program = "sfeed_update"

    def __init__(self, program: str, folder: Path, url: str) -> None:
        self._folder, self._program, self._known = folder, program, 0
        (folder / "sfeedrc").write_text(f'sfeedpath="{folder}"\nfeeds() {{\n\tfeed "example" "{url}"\n}}\n')

    def renew(self) -> list[Row]:
        """Fetch the feed; what is a line more than before is new."""
        subprocess.run([self._program, "sfeedrc"], cwd=self._folder, timeout=60, check=True, capture_output=True)
        lines = (self._folder / "example").read_text("utf-8").splitlines()
        parts = [line.split("\t") for line in lines]
        more, self._known = len(lines) - self._known, len(lines)
        return [Row(part[1], part[3], part[0], n < more) for n, part in enumerate(parts)]


class Rss2email:
    """rss2email, which sends a mail for what is new."""

    program = "r2e"

    def __init__(self, program: str, folder: Path, url: str) -> None:
        self._folder, self._seen = folder, set[Path]()
        (folder / "Maildir").mkdir()
        self._words = [program, "-c", str(folder / "config"), "-d", str(folder / "data.json")]
        self._run("new", "reader@example.org")
        settings = (folder / "config").read_text("utf-8")
        settings = re.sub(r"^email-protocol = .*$", "email-protocol = maildir", settings, flags=re.MULTILINE)
        settings = re.sub(r"^maildir-path = .*$", f"maildir-path = {folder}/Maildir", settings, flags=re.MULTILINE)
        settings = re.sub(r"^date-header = .*$", "date-header = True", settings, flags=re.MULTILINE)
        (folder / "config").write_text(settings, encoding="utf-8")
        self._run("add", "example", url)

    def _run(self, *words: str) -> None:
        home = {**os.environ, "HOME": str(self._folder)}
        subprocess.run([*self._words, *words], env=home, timeout=60, check=True, capture_output=True)

    def renew(self) -> list[Row]:
        """Fetch the feed; a mail that was not there is new."""
        self._run("run")
        rows = []
        for file in sorted((self._folder / "Maildir").rglob("*/new/*")):
            mail = email.message_from_bytes(file.read_bytes(), policy=policy.default)
            body = mail.get_body()
            text = body.get_content() if body is not None else ""
            rows.append(Row(str(mail["subject"]), text, str(mail["date"]), file not in self._seen))
            self._seen.add(file)
        return rows


READERS: dict[str, type[Newsboat | Sfeed | Rss2email]] = {
    "newsboat": Newsboat,
    "sfeed": Sfeed,
    "rss2email": Rss2email,
}


def table() -> dict[str, dict[str, str]]:
    """Return the table of READERS.md: by change, what each reader makes of it."""
    page = (ROOT / ".github/READERS.md").read_text(encoding="utf-8")
    lines = page.split("<!-- tried -->\n")[1].split("\n\n")[0].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {row[0]: dict(zip(rows[0][1:], row[1:], strict=True)) for row in rows[2:]}


def told(before: list[Row], after: list[Row]) -> str:
    """Return in the table's words what a subscriber sees of a change."""
    old = next(row for row in before if row.title == "Article b")
    fresh = [row for row in after if row.fresh]
    if fresh:
        kept = len(after) - len(before)
        return f"shown as new{', beside the old one' if kept else ''}"
    now = [row for row in after if row.title in ("Article b", "A better title")]
    if not now:
        return "goes"
    changed = [name for name in ("text", "title", "moment") if getattr(now[0], name) != getattr(old, name)]
    words = {"text": "text", "title": "title", "moment": "date"}
    return f"the new {words[changed[0]]}, still read" if changed else "stays as it was"


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("change", CHANGES)
def test_reader_behaves_as_documented(
    change: str,
    reader: str,
    program: Callable[..., str],
    publish: Callable[[Path], Published],
    tmp_path: Path,
) -> None:
    kind = READERS[reader]
    found = program(kind.program)
    (tmp_path / "site").mkdir()
    (tmp_path / "reader").mkdir()
    published = publish(make_site(tmp_path / "site", {f"{name}.md": text for name, text in BEFORE.items()}))
    subscription = kind(found, tmp_path / "reader", published.url + "atom.xml")
    before = subscription.renew()
    assert len(before) == 3
    assert not any(row.fresh for row in subscription.renew())
    text = CHANGES[change]
    if text is None:
        (published.site / "articles/b.md").unlink()
    else:
        (published.site / "articles/b.md").write_text(text, encoding="utf-8")
    published.build()
    assert told(before, subscription.renew()) == table()[change][reader]


def test_reader_table_is_complete() -> None:
    rows = table()
    assert list(rows) == list(CHANGES)
    assert all(list(row) == list(READERS) for row in rows.values())
