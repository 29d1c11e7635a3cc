"""Fakes for the fetcher and the feed parser of an ingest, and functions that run one and count its results."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import make_dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

from feedtool.config import load_settings
from feedtool.http.models import Failure, Response
from feedtool.ingesting import Choices, Parsed, Tools, ingest, select_sources

NOW = datetime(2026, 11, 23, 18, 30, tzinfo=UTC)
URL = "https://news.example.org/feed"
SOURCE = f'[[sources]]\nname = "Wire"\nurl = "{URL}"\ncategories = ["News"]\n'
FEED = {"title": "Wire", "ttl": None, "update_period": None, "skip_hours": (), "skip_days": (), "self_url": URL}
ENTRY = {
    "digest": "",
    "guid": "", "link": None, "title": "", "published": None, "updated": None, "html": "", "summary": "", "authors": (),
    "categories": (), "enclosures": (), "thumbnail": None, "language": "", "rights": "", "source": None,
    "page": "",
}  # fmt: skip
_Entry = make_dataclass("_Entry", list(ENTRY))


class World:
    """A fake fetcher and feed parser: bodies are JSON lists of entries, and every request is recorded."""

    def __init__(self) -> None:
        self.pages: dict[str, object] = {}
        self.requests: list = []
        self.read: list = []

    def fetch(self, requests) -> Iterator[Response | Failure]:
        for request in requests:
            self.requests.append(request)
            page = self.pages[request.url]
            if isinstance(page, dict):
                yield Failure(key=request.key, url=request.url, **page)
                continue
            body = json.dumps(page, ensure_ascii=False).encode("utf-8", "surrogatepass")
            etag = f'"{hash(body)}"'
            status = 304 if request.etag == etag else 200
            yield Response(
                key=request.key, url=request.url, status=status, body=b"" if status == 304 else body, etag=etag
            )

    def parse(self, jobs) -> Iterator[Parsed]:
        for job in jobs:
            self.read.append(job.key)
            entries = json.loads(job.body)
            if entries == "no feed":
                yield Parsed(key=job.key, error="this is not a feed", code="FT303")
                continue
            parsed = []
            for entry in entries:
                one = {**ENTRY, **entry}
                for name in ("published", "updated"):
                    one[name] = datetime.fromisoformat(one[name]) if one[name] else None
                parsed.append(_Entry(**{**one, "categories": tuple(one["categories"])}))
            yield Parsed(key=job.key, feed=SimpleNamespace(**FEED), entries=tuple(parsed))


def entry(number: int, **more) -> dict:
    day = NOW - timedelta(days=number)
    url = f"https://news.example.org/{number}"
    facts = {"guid": url, "link": url, "title": f"Story number {number}", "html": f"<p>Text of story {number}.</p>"}
    return {**facts, "published": day.isoformat(), **more}


def run(site, world, *names, now=NOW, **choices):
    loaded = load_settings(str(site), environment={})
    tools = Tools(fetch=world.fetch, parse=world.parse, environment={})
    return ingest(loaded, select_sources(loaded, names), tools=tools, clock=lambda: now, choices=Choices(**choices))


def counts(report) -> dict[str, int]:
    names = ("new", "updated", "kept", "skipped", "unchanged", "failed")
    return {name: report.total(name) for name in names if report.total(name)}


def index_rows(site: Path) -> list[tuple[object, ...]]:
    """Return what the lookup of a site knows of each article, without stat data: those of a fresh file are not stored."""
    columns = "path, folder, guid, link, title, source, published, stamp"
    with closing(sqlite3.connect(site / ".feedtool/ingest")) as connection:
        return connection.execute(f"SELECT {columns} FROM articles ORDER BY path").fetchall()
