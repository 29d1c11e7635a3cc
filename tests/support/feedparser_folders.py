"""Ingest the test feeds of feedparser and compare the result with the values that feedparser expects.

    python -m tests.support.feedparser_folders FOLDER

FOLDER is `tests` in a checkout of feedparser; this repository contains none of its files. Every file, well-formed or
not, becomes a source of one site, and one `feedtool ingest` must read it or report why it cannot. The titles, links,
ids, dates, languages, authors, categories and rights in the `Expect:` lines of the well-formed files are compared with
the parsed values. The exit code is 1 if feedtool fails on a file, or if a value differs without a reason in `REASONS`.
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
"""The address at which the tests of feedparser serve their files."""
REASONS = {
    "base/http_*content_location*": "Content-Location is not a base address since RFC 7231 (appendix B)",
    "http/headers_content_location*": "Content-Location is not a base address since RFC 7231 (appendix B)",
    "base/http_*_id_base*": "an id is compared as written, not resolved (RFC 4287 section 4.2.6.1)",
    "atom10/entry_category_term*": "a category is named by its label, which is for people (RFC 4287 section 4.2.2.3)",
    "itunes/itunes_item_category*": "the categories of a podcast store are not categories of the article",
    "media-rss/item_media_category*": "the category of a picture or film is not a category of the article",
    "lang/http_content_language*": "Content-Language names the audience, not the language of the feed (RFC 9110 section 8.5)",
    "rss/item_image_link_conflict*": "a host name is written in lower case (RFC 3986 section 6.2.2.1)",
}
_EXPECT = re.compile(r"Expect:\s*(.*)\s*-->")
_HEADER = re.compile(r"^Header:\s+Content-type:(.*)$", re.MULTILINE | re.IGNORECASE)
_BYTE_ORDER_MARKS = (
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\xfe\xff", "utf-16"),
    (b"\xff\xfe", "utf-16"),
)
_STARTS = ((b"\0\0\0<", "utf-32be"), (b"<\0\0\0", "utf-32le"), (b"\0<\0?", "utf-16be"), (b"<\0?\0", "utf-16le"))
_FIRST = ("published", "created", "issued")
_LAST = ("updated", "modified", "date")


class Claim(NamedTuple):
    """One expected value of a file: its entry (None: the feed), the name of the field, and the value."""

    entry: int | None
    name: str
    value: Any


class Comparison(NamedTuple):
    """The result of the comparison: the number of claims, and the claims that we read differently, by file."""

    claims: int
    others: dict[str, tuple[Claim, object]]


def main(arguments: Sequence[str]) -> int:
    """Check every file, print the differences and faults, and return the exit code."""
    folder = Path(arguments[0])
    faults, outcomes = ingested(folder)
    print(
        f"{sum(outcomes.values()):,} files: " + ", ".join(f"{count:,} {name}" for name, count in outcomes.most_common())
    )
    comparison = compared(folder)
    unexplained = [name for name in comparison.others if reason_of(name) is None]
    print(f"{comparison.claims:,} claims of well-formed files, {len(comparison.others):,} files read differently:")
    for name, (claim, got) in comparison.others.items():
        print(f"  {name}: {claim.name} {claim.value!r}, not {got!r}: {reason_of(name) or 'UNEXPLAINED'}")
    for fault in faults:
        print(f"  FAULT {fault}")
    return 1 if faults or unexplained or not comparison.claims else 0


def ingested(folder: Path) -> tuple[list[str], Counter[str]]:
    """Ingest every file of a folder in one run; return the faults of feedtool, and the outcomes."""
    files = sorted(path for path in folder.rglob("*") if path.suffix in (".xml", ".json", ".html"))
    with tempfile.TemporaryDirectory(prefix="feedparser-folders-") as place:
        site = Path(place)
        tables = []
        for number, path in enumerate(files):
            shutil.copy(path, site / f"{number}{path.suffix}")
            tables.append(f'[[sources]]\nname = "{number}"\nurl = "{number}{path.suffix}"\n')
        (site / "feedtool.toml").write_text('[site]\ntitle = "T"\nurl = "https://example.org/"\n' + "".join(tables))
        done = run("ingest", "-C", place, "--json")
        report = json.loads(done.stdout) if done.exit_code in (0, 1) else {"sources": [], "problems": []}
    names = {str(number): str(path.relative_to(folder)) for number, path in enumerate(files)}
    faults = [] if report["sources"] else [f"the run ended with {done.exit_code}: {done.stderr[-300:]}"]
    for problem in report["problems"]:
        if problem["code"] != "FT303":
            number, _, message = problem["message"].partition(": ")
            faults.append(f"{names.get(number, number)}: {message} [{problem['code']}]")
    return faults, Counter(one["outcome"] for one in report["sources"])


def compared(folder: Path) -> Comparison:
    """Compare the values that well-formed files expect with the values that we read."""
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
    return Comparison(count, others)


def claims(expression: str) -> Iterator[Claim]:
    """Yield the values that an expression such as `entries[0]['title'] == 'x' and …` expects, for the names that we know."""
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
    """Return True if we read the value of a claim, and return the value that we read."""
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
    text = getattr(node, "guid" if name == "id" and isinstance(node, RemoteEntry) else name) or ""
    # Our titles and rights are plain text; those of feedparser are HTML.
    return text in (value, plain_text(value), " ".join(value.split())), text


def _is_moment(got: datetime | None, value: tuple[int, ...]) -> bool:
    return got is not None and got.astimezone(UTC).timetuple()[:6] == value[:6]


def reason_of(name: str) -> str | None:
    """Return the reason why a file is read differently from feedparser; None if `REASONS` has none."""
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
    for start, encoding in (*_BYTE_ORDER_MARKS, *_STARTS):
        if data.startswith(start):
            return data.decode(encoding, "replace")
    return data.decode("utf-8", "ignore")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
