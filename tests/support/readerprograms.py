"""Installed feed readers that tests run: newsboat, sfeed and rss2email."""

from __future__ import annotations

import email
import os
import re
import sqlite3
import subprocess
from contextlib import closing
from email import policy
from pathlib import Path
from typing import NamedTuple


class Row(NamedTuple):
    """One article in the list of a reader; `fresh` is True if the reader shows it as new."""

    title: str
    text: str
    moment: str
    fresh: bool


class Newsboat:
    """The installed newsboat, without settings."""

    program = "newsboat"

    def __init__(self, program: str, folder: Path, url: str) -> None:
        self._folder = folder
        self._words = [program, "-u", "urls", "-c", "cache.db", "-C", "config", "-x", "reload"]
        (folder / "urls").write_text(f"{url}\n")
        (folder / "config").write_text("")

    def renew(self) -> list[Row]:
        """Fetch the feed, return the listed articles, and mark all of them as read."""
        home = {**os.environ, "HOME": str(self._folder), "LC_ALL": "C.UTF-8"}
        subprocess.run(self._words, cwd=self._folder, env=home, timeout=60, check=True, capture_output=True)
        with closing(sqlite3.connect(self._folder / "cache.db")) as cache:
            query = "SELECT title, content, pubDate, unread FROM rss_item WHERE deleted = 0"
            rows = [Row(title, text, str(moment), bool(unread)) for title, text, moment, unread in cache.execute(query)]
            cache.execute("UPDATE rss_item SET unread = 0")
            cache.commit()
        return rows


class Sfeed:
    """The installed sfeed_update, whose files have one line for each item."""

    program = "sfeed_update"

    def __init__(self, program: str, folder: Path, url: str) -> None:
        self._folder, self._program, self._line_count = folder, program, 0
        (folder / "sfeedrc").write_text(f'sfeedpath="{folder}"\nfeeds() {{\n\tfeed "example" "{url}"\n}}\n')

    def renew(self) -> list[Row]:
        """Fetch the feed; the added lines are new articles."""
        subprocess.run([self._program, "sfeedrc"], cwd=self._folder, timeout=60, check=True, capture_output=True)
        lines = (self._folder / "example").read_text("utf-8").splitlines()
        parts = [line.split("\t") for line in lines]
        more, self._line_count = len(lines) - self._line_count, len(lines)
        return [Row(part[1], part[3], part[0], n < more) for n, part in enumerate(parts)]


class Rss2email:
    """The installed rss2email, which sends a mail for each new article."""

    program = "r2e"

    def __init__(self, program: str, folder: Path, url: str) -> None:
        self._folder, self._old_mails = folder, set[Path]()
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
        """Fetch the feed; the added mails are new articles."""
        self._run("run")
        rows = []
        for file in sorted((self._folder / "Maildir").rglob("*/new/*")):
            mail = email.message_from_bytes(file.read_bytes(), policy=policy.default)
            body = mail.get_body()
            text = body.get_content() if body is not None else ""
            rows.append(Row(str(mail["subject"]), text, str(mail["date"]), file not in self._old_mails))
            self._old_mails.add(file)
        return rows


READERS: dict[str, type[Newsboat | Sfeed | Rss2email]] = {
    "newsboat": Newsboat,
    "sfeed": Sfeed,
    "rss2email": Rss2email,
}
