"""Measure the cost of ingesting with feedtool, lemon24/reader and newsboat, and write a page.

    python -m tests.bench.ingest_race [--sources 1000] [--entries 50] [--runs 1] [--report .github/INGESTING.md]

All programs read the same generated feeds from a server in its own process on 127.0.0.1, which answers 304 to a request
with its ETag (newsboat 2.21 sends none: its unchanged run fetches and reads everything again). The race sets no limits
and leaves no files behind.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from email.utils import format_datetime
from functools import partial
from hashlib import blake2b
from pathlib import Path
from xml.sax.saxutils import escape

from tests.bench import corpus
from tests.bench.ingest_page import AGAIN, COLD, FORCED, THREADS, Row, page, table
from tests.bench.machine import machine
from tests.bench.measure import FailedError, measured
from tests.bench.tools import AbsentError, Workshop

ROOT = Path(__file__).resolve().parent.parent.parent
CALM = 1.2
"""The load average below which a run is measured."""
READER = """import sys
from reader import make_reader
reader = make_reader(sys.argv[1])
for url in open(sys.argv[2]).read().split():
    reader.add_feed(url, exist_ok=True)
reader.update_feeds(workers=int(sys.argv[3]), scheduled=False)
reader.close()
"""
SETTINGS = """[site]
title = "Race"
url = "https://example.org/"
[ingest]
allow_private_hosts = ["127.0.0.1"]
concurrency = {threads}
per_host = {threads}
"""


@dataclass(slots=True, kw_only=True)
class Contestant:
    """One program with its own folder: a command for each scenario, and a function that counts its entries."""

    name: str
    folder: Path
    commands: dict[str, tuple[str, ...]]
    env: dict[str, str]
    count: Callable[[], int]
    ready: Callable[[], None] = lambda: None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the race that the command line describes and print the table."""
    options = _options(arguments)
    if options.serve:
        asyncio.run(_serve(options.serve))
        return 0
    waiter = CalmWaiter(options.patience)
    with tempfile.TemporaryDirectory(prefix="ingest-race-", dir=options.work) as place:
        feeds = Path(place, "feeds")
        size = make_feeds(feeds, options.sources, options.entries)
        _report_progress(f"{options.sources:,} feeds of {options.entries} entries, {size / 1e6:.1f} MB in all")
        workshop = Workshop(Path(place, "workshop"))
        with serving(feeds) as server:
            rows = list(_race(workshop, server, options, waiter))
    print("\n".join(table(rows)))
    print("\n" + "; ".join(f"{name}: {value}" for name, value in machine().items()))
    if options.report:
        options.report.write_text(page(rows, options.entries, waiter.loads), "utf-8")
    return 0


def make_feeds(folder: Path, sources: int, entries: int) -> int:
    """Write the feeds, the same bytes on every machine; return their size in bytes."""
    folder.mkdir(parents=True)
    size = 0
    for number in range(sources):
        data = _feed(number, entries).encode()
        (folder / f"{number}.xml").write_bytes(data)
        size += len(data)
    return size


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """Run the server for a folder until the block ends."""
    command = [sys.executable, "-m", "tests.bench.ingest_race", "--serve", str(folder)]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        yield Server(process.pid, int(process.stdout.readline()))
    finally:
        process.kill()
        process.communicate()


@dataclass(frozen=True, slots=True)
class Server:
    """The running server."""

    pid: int
    port: int

    def urls(self, sources: int) -> list[str]:
        """Return the addresses of the first `sources` feeds."""
        return [f"http://127.0.0.1:{self.port}/{number}.xml" for number in range(sources)]

    def cpu(self) -> float:
        """Return the processor seconds of the server so far; 0 if the system does not report them."""
        with contextlib.suppress(OSError), open(f"/proc/{self.pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return 0.0


class CalmWaiter:
    """Wait for an idle machine before each run, `seconds` in all, and report when that was not enough."""

    def __init__(self, seconds: float) -> None:
        self.left = seconds
        self.loads: list[float] = []

    def wait(self) -> None:
        """Return when the machine is idle or the time is used up."""
        while (load := os.getloadavg()[0]) >= CALM and self.left > 0:
            pause = min(2.0, self.left)
            time.sleep(pause)
            self.left -= pause
        self.loads.append(load)
        if load >= CALM:
            _report_progress(f"the machine is not calm: load average {load:.2f}")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="What ingesting feeds costs feedtool and others.")
    parser.add_argument("--sources", type=int, default=1000)
    parser.add_argument("--entries", type=int, default=50)
    parser.add_argument("--runs", type=int, default=1, help="the table has their medians")
    parser.add_argument("--only", nargs="*", choices=MAKERS, default=list(MAKERS), metavar="PROGRAM")
    parser.add_argument("--patience", type=float, default=180, help="seconds to wait in all for a calm machine")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write the page there, too")
    parser.add_argument("--work", type=Path, help="a folder to work in; a temporary one by default")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def _race(workshop: Workshop, server: Server, options: argparse.Namespace, waiter: CalmWaiter) -> Iterator[Row]:
    """Run all programs in turns, and feedtool on a quarter of the sources too, to show the growth of its memory."""
    plan = [(name, options.sources) for name in options.only]
    if "feedtool" in options.only and options.sources >= 10:
        plan.insert(0, ("feedtool", options.sources // 4))
    rows: dict[tuple[str, int, str], Row] = {}
    absent: set[str] = set()
    for _ in range(options.runs):
        for name, sources in plan:
            if name in absent:
                continue
            try:
                for row in _round(workshop, server, waiter, name, sources):
                    row_so_far = rows.setdefault((name, sources, row.scenario), row)
                    if row_so_far is not row:
                        row_so_far.samples += row.samples
                        row_so_far.served += row.served
            except (AbsentError, FailedError) as error:
                absent.add(name)
                _report_progress(f"{name} is left out: {str(error).strip().splitlines()[-1]}")
    yield from rows.values()


def _round(workshop: Workshop, server: Server, waiter: CalmWaiter, name: str, sources: int) -> Iterator[Row]:
    folder = workshop.place / "race"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    contestant = MAKERS[name](workshop, folder, server.urls(sources))
    for number, (scenario, command) in enumerate(contestant.commands.items()):
        if number:
            contestant.ready()
        waiter.wait()
        before = server.cpu()
        sample = measured(command, cwd=folder, env=contestant.env, watched=())
        row = Row(name, sources, scenario, [sample], [server.cpu() - before], contestant.count())
        memory = f"{sample.memory / 1e6:.0f} MB, {row.entries:,} entries"
        _report_progress(
            f"{name}, {sources:,} sources, {scenario}: {sample.wall:.2f} s, CPU {sample.cpu:.2f} s, {memory}"
        )
        yield row


def _feedtool(workshop: Workshop, folder: Path, urls: list[str]) -> Contestant:
    tables = (f'[[sources]]\nname = "S{number}"\nurl = "{url}"\n' for number, url in enumerate(urls))
    (folder / "feedtool.toml").write_text(SETTINGS.format(threads=THREADS) + "".join(tables), "utf-8")
    command = (sys.executable, "-m", "feedtool", "ingest", "-C", str(folder))
    return Contestant(
        name="feedtool",
        folder=folder,
        commands={COLD: command, AGAIN: command, FORCED: (*command, "--force")},
        env=dict(workshop.env),
        count=partial(_files, folder),
        ready=partial(_make_due, folder / "feedtool.state"),
    )


def _files(folder: Path) -> int:
    if " 0 failed, 0 not due" not in (log := (folder / "bench.log").read_text("utf-8")):
        raise FailedError(f"not every source was visited: {log[-200:]}")
    return sum(1 for _ in (folder / "articles").rglob("*.md"))


def _make_due(state: Path) -> None:
    """Make every source due now, as if the time had passed."""
    state.write_text(re.sub(r'("next": ?")\d{4}', r"\g<1>2020", state.read_text("utf-8")), "utf-8")


def _reader(workshop: Workshop, folder: Path, urls: list[str]) -> Contestant:
    def install(place: Path) -> None:
        venv.create(place, with_pip=True)
        # Its copy of feedparser imports sgmllib, but reader does not depend on it (3.26).
        pip = [str(place / "bin" / "python"), "-m", "pip", "install", "--quiet", "reader", "sgmllib3k"]
        subprocess.run(pip, check=True, capture_output=True, timeout=300)

    python = workshop.installed("reader", install) / "bin" / "python"
    (folder / "run.py").write_text(READER, "utf-8")
    (folder / "urls").write_text("\n".join(urls), "utf-8")
    command = (str(python), "run.py", "db.sqlite", "urls", str(THREADS))
    return Contestant(
        name="lemon24/reader",
        folder=folder,
        commands={COLD: command, AGAIN: command},
        env={name: value for name, value in workshop.env.items() if name != "PYTHONPATH"},
        count=partial(_rows, folder / "db.sqlite", "entries"),
    )


def _newsboat(workshop: Workshop, folder: Path, urls: list[str]) -> Contestant:
    program = shutil.which("newsboat")
    if program is None:
        raise AbsentError("not on this machine (Debian: newsboat)")
    (folder / "urls").write_text("\n".join(urls) + "\n", "utf-8")
    (folder / "config").write_text(f"reload-threads {THREADS}\nmax-items 0\n", "utf-8")
    command = (program, "-u", "urls", "-c", "cache.db", "-C", "config", "-x", "reload")
    return Contestant(
        name="newsboat",
        folder=folder,
        commands={COLD: command, AGAIN: command},
        env={**workshop.env, "HOME": str(folder)},
        count=partial(_rows, folder / "cache.db", "rss_item"),
    )


MAKERS: dict[str, Callable[[Workshop, Path, list[str]], Contestant]] = {
    "feedtool": _feedtool,
    "lemon24/reader": _reader,
    "newsboat": _newsboat,
}


def _rows(database: Path, name: str) -> int:
    with contextlib.closing(sqlite3.connect(database)) as connection:
        return int(connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0])


def _feed(number: int, entries: int) -> str:
    rng = random.Random(number)
    host = f"https://h{number}.example.org"
    items = "".join(_item(rng, host, entry) for entry in range(entries))
    head = f"<title>Wire {number}</title><link>{host}/</link><description>Generated</description>"
    return f'<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0"><channel>{head}{items}</channel></rss>\n'


def _item(rng: random.Random, host: str, entry: int) -> str:
    chinese = rng.random() < 0.5
    sentences = corpus.CHINESE if chinese else corpus.ENGLISH
    title = f"{rng.choice(corpus.SUBJECTS)}{rng.choice(corpus.VERBS)}" if chinese else f"The {rng.choice(corpus.NOUNS)}"
    texts = ("".join(rng.choices(sentences, k=4)) + f"{rng.random():.6f}" for _ in range(6))
    body = "".join(f"<p>{text}</p>\n" for text in texts) + f'<p><img src="{host}/{entry}.jpg" alt=""></p>'
    date = format_datetime(corpus.START + corpus.SPAN * rng.random(), usegmt=True)
    return (
        f"<item><title>{escape(title)} ({entry})</title><link>{host}/{entry}.html</link>"
        f'<guid isPermaLink="false">{host}:{entry}</guid><pubDate>{date}</pubDate>'
        f"<description><![CDATA[{body}]]></description></item>\n"
    )


async def _serve(folder: Path) -> None:
    """Answer requests until standard input is closed because the parent process has ended."""
    pages = {f"/{path.name}".encode(): _answers(path.read_bytes()) for path in folder.iterdir()}
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _FeedServer(pages), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


def _answers(body: bytes) -> tuple[bytes, bytes, bytes]:
    etag = b'"%b"' % blake2b(body, digest_size=8).hexdigest().encode()
    head = b"HTTP/1.1 200 OK\r\nETag: %b\r\nContent-Type: application/rss+xml\r\nContent-Length: %d\r\n\r\n"
    return etag, head % (etag, len(body)) + body, b"HTTP/1.1 304 Not Modified\r\nETag: %b\r\n\r\n" % etag


class _FeedServer(asyncio.Protocol):
    """One connection: it answers requests without bodies with prepared responses."""

    def __init__(self, pages: dict[bytes, tuple[bytes, bytes, bytes]]) -> None:
        self.pages = pages
        self.data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.data += data
        while b"\r\n\r\n" in self.data:
            request, _, self.data = self.data.partition(b"\r\n\r\n")
            line, _, headers = request.partition(b"\r\n")
            page = self.pages.get(line.split()[1])
            if page is None:
                self.transport.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
                continue
            etag, whole, same = page
            condition = re.search(rb"(?im)^if-none-match:[ \t]*(.*?)\r?$", headers)
            self.transport.write(same if condition and etag in condition[1] else whole)


def _report_progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
