"""The folder of feedparser's own test feeds in; whether each ingests, and where we read other than it expects, out.

    python -m tests.support.feedparser_folders FOLDER

FOLDER is `tests` of a checkout of feedparser: nothing of it is kept here. Every file, well-formed or not, becomes a source
of one site, and one `feedtool ingest` has to read it or say why not. Of well-formed ones, what their `Expect:` says of
titles, links, ids, dates, languages, authors, categories and rights is compared with what we read. Exits with 1 where
a file is a fault of ours, or says something else for a reason that is not listed in `REASONS`.
"""

from __future__ import annotations

import ast
import json
import re
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from feedtool.feedparse import NotAFeedError, RemoteEntry, RemoteFeed, parse_feed
from feedtool.html import plain_text
from tests.support.site import run

BASE = "http://127.0.0.1:8097/"
"""Where feedparser's tests say that its files are."""
REASONS = {
    "base/http_*content_location*": "Content-Location is no base address since RFC 7231 (appendix B)",
    "http/headers_content_location*": "Content-Location is no base address since RFC 7231 (appendix B)",
    "base/http_*_id_base*": "an id is compared as it is written, not resolved (RFC 4287 section 4.2.6.1)",
    "atom10/entry_category_term*": "a category is named by its label, which is for people (RFC 4287 section 4.2.2.3)",
    "itunes/itunes_item_category*": "a store's shelves are no categories of the article",
    "media-rss/item_media_category*": "a category of a picture or film is none of the article",
    "lang/http_content_language*": "Content-Language says whom a page is for, not what a feed is written in (RFC 9110 section 8.5)",
    "rss/item_image_link_conflict*": "a host's name is written in lower case (RFC 3986 section 6.2.2.1)",
}
_EXPECT = re.compile(r"Expect:\s*(.*)\s*-->")
_HEADER = re.compile(r"^Header:\s+Content-type:(.*)$", re.MULTILINE | re.IGNORECASE)
_MARKS = (
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\xfe\xff", "utf-16"),
    (b"\xff\xfe", "utf-16"),
)
_STARTS = ((b"\0\0\0<", "utf-32be"), (b"<\0\0\0", "utf-32le"), (b"\0<\0?", "utf-16be"), (b"<\0?\0", "utf-16le"))
_FIRST = ("published", "created", "issued")
_LAST = ("updated", "modified", "date")


class Claim(NamedTuple):
    """One thing that a file expects: of which entry (None: of the feed), under what name, and what."""

    entry: int | None
    name: str
    value: Any


class Found(NamedTuple):
    """What came of the comparison: how many claims were looked at, and those that we read otherwise, by file."""

    claims: int
    others: dict[str, tuple[Claim, object]]


def main(arguments: Sequence[str]) -> int:
    """Look at every file, print what there is to say, and return the exit code."""
    folder = Path(arguments[0])
    faults, outcomes = ingested(folder)
    print(
        f"{sum(outcomes.values()):,} files: " + ", ".join(f"{count:,} {name}" for name, count in outcomes.most_common())
    )
    found = compared(folder)
    unexplained = [name for name in found.others if reason_of(name) is None]
    print(f"{found.claims:,} claims of well-formed files, {len(found.others):,} files read otherwise:")
    for name, (claim, got) in found.others.items():
        print(f"  {name}: {claim.name} {claim.value!r}, not {got!r}: {reason_of(name) or 'UNEXPLAINED'}")
    for fault in faults:
        print(f"  FAULT {fault}")
    return 1 if faults or unexplained or not found.claims else 0


def ingested(folder: Path) -> tuple[list[str], Counter[str]]:
    """Ingest every file of a folder in one run; return what went wrong in a way that is ours, and the outcomes."""
    files = sorted(path for path in folder.rglob("*") if path.suffix in (".xml", ".json", ".html"))
    with tempfile.TemporaryDirectory(prefix="feedparser-folders-") as place:
        site = Path(place)
        tables = []
        for number, path in enumerate(files):
            shutil.copy(path, site / f"{number}{path.suffix}")
            tables.append(f'[[sources]]\nname = "{number}"\nurl = "{number}{path.suffix}"\n')
        (site / "feedtool.toml").write_text('[site]\ntitle = "T"\nurl = "https://example.org/"\n' + "".join(tables))
        done = run("ingest", "-C", place, "--json")
        told = json.loads(done.stdout) if done.exit_code in (0, 1) else {"sources": [], "problems": []}
    names = {str(number): str(path.relative_to(folder)) for number, path in enumerate(files)}
    faults = [] if told["sources"] else [f"the run ended with {done.exit_code}: {done.stderr[-300:]}"]
    for problem in told["problems"]:
        if problem["code"] != "FT303":
            number, _, message = problem["message"].partition(": ")
            faults.append(f"{names.get(number, number)}: {message} [{problem['code']}]")
    return faults, Counter(one["outcome"] for one in told["sources"])


def compared(folder: Path) -> Found:
    """Compare what well-formed files expect with what we read in them."""
    count, others = 0, dict[str, tuple[Claim, object]]()
    for path in sorted((folder / "wellformed").rglob("*.xml")):
        data = path.read_bytes()
        text = _text(data)
        expected = _EXPECT.search(text)
        if expected is None:
            continue
        header = _HEADER.search(text)
        url = f"{BASE}tests/{path.relative_to(folder).as_posix()}"
        try:
            feed = parse_feed(data, url=url, content_type=header[1].strip() if header else "")
        except NotAFeedError as error:
            feed = RemoteFeed(format="", title=f"(no feed: {error.what})")
        for claim in claims(expected[1].strip()):
            count += 1
            agrees, got = agreement(feed, claim)
            if not agrees:
                others.setdefault(path.relative_to(folder / "wellformed").as_posix(), (claim, got))
    return Found(count, others)


def claims(expression: str) -> Iterator[Claim]:
    """Yield what an expression such as `entries[0]['title'] == 'x' and …` expects, as far as we know the names."""
    for node in ast.walk(ast.parse(expression, mode="eval")):
        if not (isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], ast.Eq)):
            continue
        path = _path(node.left)
        try:
            value = ast.literal_eval(node.comparators[0])
        except ValueError:
            continue
        if path and path[0] == "feed" and path[1:] in _OF_FEEDS:
            yield Claim(None, path[1], value)
        elif len(path) > 2 and path[0] == "entries" and isinstance(path[1], int) and _is_of_entry(path[2:]):
            yield Claim(path[1], path[2], value)


_OF_FEEDS = [("title",), ("title_detail", "value"), ("link",), ("id",), ("guid",), ("language",), ("rights",)]


def _is_of_entry(path: tuple[Any, ...]) -> bool:
    if path in _OF_FEEDS or path == ("author",) or (len(path) == 3 and path[0] == "tags" and path[2] == "term"):
        return True
    return len(path) == 1 and path[0] in [f"{name}_parsed" for name in (*_FIRST, *_LAST)]


def agreement(feed: RemoteFeed, claim: Claim) -> tuple[bool, object]:
    """Say whether we read what a claim says, and what we read."""
    node: RemoteFeed | RemoteEntry = feed
    if claim.entry is not None:
        if claim.entry >= len(feed.entries):
            return False, "no such entry"
        node = feed.entries[claim.entry]
    if claim.name.endswith("_parsed"):
        assert isinstance(node, RemoteEntry)
        got = node.published if claim.name.removesuffix("_parsed") in _FIRST else node.updated or node.published
        return isinstance(claim.value, tuple) and _is_moment(got, claim.value), got
    value = claim.value or ""
    if claim.name == "author":
        assert isinstance(node, RemoteEntry)
        return any(one.name in value for one in node.authors) or (not node.authors and not value), node.authors
    if claim.name == "tags":
        assert isinstance(node, RemoteEntry)
        return value in node.categories, node.categories
    names = {"title_detail": "title", "guid": "id"}
    name = names.get(claim.name, claim.name)
    said = getattr(node, "guid" if name == "id" and isinstance(node, RemoteEntry) else name) or ""
    # Titles and rights are plain text here, and HTML there.
    return said in (value, plain_text(value), " ".join(value.split())), said


def _is_moment(got: datetime | None, value: tuple[int, ...]) -> bool:
    return got is not None and got.astimezone(UTC).timetuple()[:6] == value[:6]


def reason_of(name: str) -> str | None:
    """Return why a file is rightly read otherwise than feedparser reads it, None where nothing is known of that."""
    path = Path(name)
    return next((reason for pattern, reason in REASONS.items() if path.match(pattern)), None)


def _path(node: ast.expr) -> tuple[Any, ...]:
    parts: list[Any] = []
    while isinstance(node, ast.Subscript | ast.Attribute):
        if isinstance(node, ast.Attribute):
            parts.append(node.attr)
        elif isinstance(node.slice, ast.Constant):
            parts.append(node.slice.value)
        else:
            return ()
        node = node.value
    return (node.id, *reversed(parts)) if isinstance(node, ast.Name) else ()


def _text(data: bytes) -> str:
    for start, encoding in (*_MARKS, *_STARTS):
        if data.startswith(start):
            return data.decode(encoding, "replace")
    return data.decode("utf-8", "ignore")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
