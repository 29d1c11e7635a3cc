"""Test one site of hostile and broken files: the build ends, reports each problem with its line, publishes valid files.

`hostile/expected.tsv` has the outcome of each file: published, published-with-warning, left-out, hidden (a draft or of
the future) or ignored (not an article); then line and code of its problem, and as JSON the title in feeds.
"""

from __future__ import annotations

import json
import shutil
import time
from collections import Counter
from html import unescape
from pathlib import Path
from typing import NamedTuple

import pytest
from lxml import etree, html

from tests.hostile.make import make
from tests.support.site import Result, build, make_site

HOSTILE = Path(__file__).parent / "hostile"
SETTINGS = """[site]
title = "Hostile"
url = "https://example.org/"
timezone = "Asia/Shanghai"

[feeds]
limit = 10000
archive = false

[pages]
articles = "none"
index = false
"""


class Row(NamedTuple):
    """The expected or actual outcome of one file."""

    file: str
    outcome: str
    code: str
    line: str
    title: str


class Built(NamedTuple):
    """The site, the result and the duration of its build, and the outcome of each file."""

    site: Path
    result: Result
    seconds: float
    actual: list[Row]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    site = make_site(tmp_path_factory.mktemp("hostile") / "site", {}, SETTINGS)
    shutil.copytree(HOSTILE / "articles", site / "articles", dirs_exist_ok=True)
    actual = [
        Row(file, *expected, _written_title(site / "articles" / file))
        for file, expected in make(site / "articles").items()
    ]
    start = time.monotonic()
    result = build(site)
    return Built(site, result, time.monotonic() - start, actual)


def test_hostile_site_has_files_of_every_kind() -> None:
    outcomes = Counter(row.outcome for row in _expected())
    assert set(outcomes) == {"published", "published-with-warning", "left-out", "hidden", "ignored"}
    assert sum(outcomes.values()) >= 200
    files = {path.relative_to(HOSTILE / "articles").as_posix() for path in (HOSTILE / "articles").rglob("*.*")}
    assert {row.file for row in _expected()} >= {name for name in files if (HOSTILE / "articles" / name).is_file()}


def test_build_ends_in_time_and_reports_problems(built: Built) -> None:
    assert built.result.exit_code == 1, built.result.stderr[-2000:]
    assert "Traceback" not in built.result.stderr
    assert built.seconds < 30


def test_every_file_has_its_expected_outcome(built: Built) -> None:
    codes = _codes_of(built.result)
    wrong = [
        (row.file, *expected, "but", *codes.get(row.file, ("-", "-")))
        for row in [*_expected(), *built.actual]
        if (expected := (row.code, row.line)) != codes.get(row.file, ("-", "-"))
    ]
    assert wrong == []
    assert set(codes) <= {row.file for row in [*_expected(), *built.actual]}


def test_every_problem_has_a_message_and_a_hint(built: Built) -> None:
    assert [problem for problem in built.result.json["problems"] if not (problem["message"] and problem["hint"])] == []


def test_only_published_articles_are_in_the_feed(built: Built) -> None:
    feed = json.loads((built.site / "public" / "feed.json").read_text("utf-8"))
    due = Counter(row.title for row in [*_expected(), *built.actual] if row.outcome.startswith("published"))
    titles = Counter(item["title"] for item in feed["items"])
    assert due - titles == Counter()
    assert titles - due == Counter()
    assert built.result.json["articles"] == len(feed["items"])
    assert len({item["id"] for item in feed["items"]}) == len(feed["items"])


def test_feeds_are_well_formed_and_consistent(built: Built) -> None:
    names = sorted((built.site / "public").rglob("*.xml"))
    assert len(names) > 200
    for name in names:
        etree.fromstring(name.read_bytes(), etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True))
    for name in sorted((built.site / "public").rglob("feed.json")):
        items = json.loads(name.read_bytes())["items"]
        root = etree.fromstring((name.parent / "atom.xml").read_bytes(), etree.XMLParser(huge_tree=True))
        assert [item["title"] for item in items] == [_title(entry) for entry in root.iter("{*}entry")]


def test_entries_contain_no_active_content(built: Built) -> None:
    items = json.loads((built.site / "public" / "feed.json").read_text("utf-8"))["items"]
    assert [(item["title"], live) for item in items if (live := _live(item.get("content_html", "")))] == []
    addresses = [item[key] for item in items for key in ("url", "image") if key in item]
    addresses += [attachment["url"] for item in items for attachment in item.get("attachments", ())]
    assert [address for address in addresses if not address.startswith(("http://", "https://"))] == []


def test_nothing_runs_or_writes_outside_the_output(built: Built) -> None:
    assert sorted(path.name for path in built.site.parent.iterdir()) == ["neighbour", "secret.md", "site"]
    assert sorted(path.name for path in built.site.iterdir()) == [".feedtool", "articles", "feedtool.toml", "public"]
    assert not list(built.site.rglob("*-was-run"))
    assert b"Secret of the neighbour" not in (built.site / "public" / "feed.json").read_bytes()


def test_output_names_are_safe_on_every_system(built: Built) -> None:
    for path in (built.site / "public").rglob("*"):
        name = path.name
        assert not set(name) & set('<>:"/\\|?*') | {c for c in name if c < " "}, name
        assert name.rstrip(". ") == name
        assert len(name.encode()) <= 100
        assert name.split(".")[0].upper() not in {"CON", "NUL", "AUX", "PRN", "COM1", "LPT1"}


def test_second_build_repeats_problems_without_writing(built: Built) -> None:
    again = build(built.site)
    assert again.exit_code == 1
    assert (again.json["written"], again.json["removed"]) == (0, 0)
    assert again.json["problems"] == built.result.json["problems"]


def _expected() -> list[Row]:
    rows = [line.split("\t") for line in (HOSTILE / "expected.tsv").read_text("utf-8").splitlines()]
    return [Row(file, outcome, code, line, json.loads(title)) for file, outcome, line, code, title in rows]


def _codes_of(result: Result) -> dict[str, tuple[str, str]]:
    """Return code and line of each file's most severe problem, the first of several."""
    codes: dict[str, tuple[str, str]] = {}
    for problem in sorted(result.json["problems"], key=lambda problem: problem["severity"] != "error"):
        codes.setdefault(problem["file"].removeprefix("articles/"), (problem["code"], str(problem["line"] or "-")))
    return codes


def _title(entry: etree._Element) -> str:
    """Return the title of an Atom entry as readers show it (RFC 4287 section 3.1.1)."""
    title = entry.find("{*}title")
    assert title is not None
    return unescape(title.text or "") if title.get("type") == "html" else title.text or ""


def _written_title(path: Path) -> str:
    """Return the title in a file of `make`, or "" if it cannot be read."""
    if path.is_symlink() or not path.is_file():
        return ""
    with path.open("rb") as file:
        first = file.read(200).split(b"\n")
    return first[1].decode().removeprefix("title: ") if len(first) > 2 and first[1].isascii() else ""


def _live(content: str) -> set[str]:
    """Return the parts of an entry's HTML that could run, load a page or show the source of a style."""
    root = html.document_fromstring(f"<div>{content}</div>", parser=html.HTMLParser(huge_tree=True))
    active = {str(element.tag) for element in root.iter()} & _FORBIDDEN
    for element in root.iter():
        for name, value in element.attrib.items():
            scheme = "".join(c for c in str(value) if c > " ").partition(":")[0].lower()
            if str(name).startswith("on") or scheme in ("javascript", "vbscript", "data"):
                active.add(f"{element.tag!s} {name!s}")
    return active | ({"&#123;"} if "&#123;" in str(root.xpath("string()")) else set())


_FORBIDDEN = {"script", "style", "iframe", "object", "embed", "form", "input", "button", "select", "textarea", "svg"}
_FORBIDDEN |= {"math", "base", "link", "meta", "template", "noscript"}
