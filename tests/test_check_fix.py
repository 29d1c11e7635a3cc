"""Test `feedtool check --fix` on whole sites: what it fixes, what it only reports, and what it never changes."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from feedtool.api import build, check
from feedtool.articles import Rules, parse_document
from feedtool.checking.lint import Checked, fixes
from tests.bench.corpus import generate
from tests.support.site import article, make_site, stamps, tree, write

ISO = "2022-07-25T00:00:00+08:00"
BODY = "会议指出，要把各项工作抓细抓实，确保平稳有序。" * 9


def fix(site: Path) -> Checked:
    """Fix the site in this process."""
    return check(site, fix=True, jobs=1)


def values(site: Path, name: str) -> dict[str, object]:
    """Return all values of an article's front matter."""
    document = parse_document((site / "articles" / name).read_bytes(), every_key=True)
    assert not document.recovered
    return dict(document.values)


def problems_of(checked: Checked, code: str) -> list[tuple[str, str, str]]:
    """Return file, severity and message of the problems with one code."""
    return [(one.file, one.severity, one.message) for one in checked.problems if one.code == code]


def test_leftovers_of_killed_runs_are_removed_first(tmp_path: Path) -> None:
    site = make_site(tmp_path, {"深/a.md": article("A", date="2022/7/25")})
    write(site / "articles/深/a.md.feedtool-new", "half")
    write(site / "articles/notes.feedtool-news", "somebody's")
    assert fix(site).fixed == ("深/a.md",)
    assert sorted(tree(site / "articles")) == ["notes.feedtool-news", "深/a.md"]


FIXED = {
    "a date inside another value": (
        'x-notes: "one\ndate: two words\nend"\ntitle: T\ndate: 2022/7/25\n',
        f'x-notes: "one\ndate: two words\nend"\ntitle: T\ndate: {ISO}\n',
    ),
    "comments": (
        "date: 2022/7/25 # local\n  # indented\n\n  # second\nx-a: 1\n",
        f"date: {ISO} # local\n  # indented\n\n  # second\nx-a: 1\n",
    ),
    "a key in capitals": ("Date: 2022/7/25\n", f"Date: {ISO}\n"),
    "another spelling of a key": (
        "date: 2022/7/25\nLast-Modified-At: 2022/7/26\n",
        f"date: {ISO}\nLast-Modified-At: 2022-07-26T00:00:00+08:00\n",
    ),
    "a doubled key": ("date: 2020/1/1\nx: y\ndate: 2022/7/25\n", f"date: 2020/1/1\nx: y\ndate: {ISO}\n"),
    "a title that breaks YAML": (
        'title: "a" b: c\ndate: 2022/7/25 # local\nx-list:\n  - 1 # one\n',
        f"title: '\"a\" b: c'\ndate: {ISO} # local\nx-list:\n  - 1 # one\n",
    ),
    "a placeholder picture": (
        f"date: {ISO}\nthumbnail: 'https://picsum.photos/400/300?random=81' # none\n",
        f"date: {ISO}\nthumbnail: '' # none\n",
    ),
    "a moment that needs nothing": ("date: 2022-07-25T00:00:00+00:00\n", "date: 2022-07-25T00:00:00+00:00\n"),
}


@pytest.mark.parametrize(("before", "after"), FIXED.values(), ids=FIXED)
def test_only_broken_lines_are_fixed(before: str, after: str, tmp_path: Path) -> None:
    site = make_site(tmp_path, {"a.md": f"---\n{before}---\nBody\n"})
    checked = fix(site)
    assert (site / "articles/a.md").read_text("utf-8") == (
        f"---\n{after}guid: 'tag:example.org,2022-07-25:a'\n---\nBody\n"
    )
    assert (checked.fixed, checked.articles, problems_of(checked, "FT023")) == (("a.md",), 1, [])
    before_second = stamps(site / "articles")
    assert fix(site).fixed == ()
    assert stamps(site / "articles") == before_second


def test_toml_keeps_strings_comments_and_types(tmp_path: Path) -> None:
    text = '+++\nnotes = """\ndate = 1\n"""\n{}\n\n# of the table\n[table]\ndate = 1\n+++\nBody\n'
    site = make_site(tmp_path, {
        "a.md": text.format('date = "2022/7/25" # by hand'),
        "b.md": text.format("date = 2022-07-25"),
        "c.md": text.format("date = 2022-07-25T00:00:00Z"),
    })  # fmt: skip
    fix(site)
    guid = 'guid = "tag:example.org,2022-07-25:{}"'
    for name, line in (
        ("a", f'date = "{ISO}" # by hand'),
        ("b", f"date = {ISO}"),
        ("c", "date = 2022-07-25T00:00:00Z"),
    ):
        expected = text.format(f"{line}\n{guid.format(name)}")
        assert (site / f"articles/{name}.md").read_text("utf-8") == expected
    assert fix(site).fixed == ()


HEAD = "---\ntitle: 央行公布数据\ndate: 2022/7/25\n---\n"
UNMENDABLE = {
    "a wrong byte": HEAD.encode() + BODY.encode() + b"\xff tail\n",
    "a wrong byte in GB18030": (HEAD + BODY).encode("gb18030") + b"\x80\n",
    "letters that its encoding lacks": "---\ntitle: \"Le caf\u00e9\" d'\u00e9t\u00e9\ndate: 2022/7/25\n---\n".encode("cp1252")
    + "Il fait tr\u00e8s chaud, la for\u00eat est d\u00e9serte et le caf\u00e9 ferm\u00e9. ".encode("cp1252") * 9 + b"\x81\n",
    "front matter in braces": b"---\n{title: T, date: 2022/7/25}\n---\n",
    "a key behind a question mark": b"---\n? title\n: T\ndate: 2022/7/25\n---\n",
}  # fmt: skip


@pytest.mark.parametrize("data", UNMENDABLE.values(), ids=UNMENDABLE)
def test_unsafe_file_is_reported_and_left_unchanged(data: bytes, tmp_path: Path) -> None:
    site = make_site(tmp_path, {"a.md": data})
    before = stamps(site / "articles")
    checked = fix(site)
    ((file, severity, message),) = problems_of(checked, "FT023")
    assert (file, severity, checked.articles, checked.fixed) == ("articles/a.md", "warning", 1, ())
    assert message.startswith("cannot be fixed: ")
    assert all(problem.hint for problem in checked.problems if problem.code == "FT023")
    assert stamps(site / "articles") == before
    assert problems_of(check(site, jobs=1), "FT023") == []


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16-le", "utf-16-be", "gb18030"])
def test_fixed_file_keeps_encoding_and_line_endings(codec: str, ending: str, tmp_path: Path) -> None:
    text = f"{HEAD}{BODY}\n".replace("\n", ending)
    bom = "\ufeff" if codec.startswith("utf-16") else ""
    guid = "guid: 'tag:example.org,2022-07-25:a'"
    after = text.replace("2022/7/25", f"{ISO}{ending}{guid}")
    site = make_site(tmp_path, {"a.md": f"{bom}{text}".encode(codec)})
    assert fix(site).fixed == ("a.md",)
    assert (site / "articles/a.md").read_bytes() == f"{bom}{after}".encode(codec)


def test_unwritable_file_is_reported_and_still_checked(tmp_path: Path) -> None:
    site = make_site(tmp_path, {"a.md": "---\ntitle: T\ndate: 2022/7/25\nlink: nowhere\n---\nBody\n"})
    (site / "articles/a.md.feedtool-new").mkdir()  # prevents even root from writing
    checked = fix(site)
    assert [message.partition(": cannot")[2][:11] for _, _, message in problems_of(checked, "FT023")] == [" be written"]
    assert (checked.articles, checked.fixed, len(problems_of(checked, "FT017"))) == (1, (), 1)
    assert "cannot be read" not in str(checked.problems)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write any file")
def test_read_only_file_is_not_changed(tmp_path: Path) -> None:
    site = make_site(tmp_path, {"a.md": "---\ntitle: T\ndate: 2022/7/25\n---\nBody\n"})
    (site / "articles/a.md").chmod(0o444)
    assert len(problems_of(fix(site), "FT023")) == 1
    assert b"2022/7/25" in (site / "articles/a.md").read_bytes()


def test_symlink_is_not_replaced_by_a_file(tmp_path: Path) -> None:
    site = make_site(
        tmp_path, {"a.md": article("T", front="guid: a\n"), "b.md": "---\ntitle: U\ndate: 2022/7/25\n---\n"}
    )
    (site / "articles/a.md").unlink()
    (site / "articles/a.md").symlink_to("b.md")
    fix(site)
    assert (site / "articles/a.md").is_symlink()


def test_fixed_ids_are_unique(tmp_path: Path) -> None:
    same = {f"{folder}/same.md": article("T", date=f"2022-07-25T{hour}:00:00+08:00")
            for folder, hour in (("x", "10"), ("y", "12"), ("z", "12"), ("drafts", "20"))}  # fmt: skip
    same["drafts/same.md"] = same["drafts/same.md"].replace("---\n", "---\ndraft: true\n", 1)
    conflicting = article("U", date="2022-07-26T10:00:00+08:00")
    owner = article("V", front="guid: 'tag:example.org,2022-07-26:held'\n", date="2020-01-01T10:00:00+08:00")
    site = make_site(tmp_path, {**same, "held.md": conflicting, "other.md": owner})
    checked = fix(site)
    guids = {path: values(site, path)["guid"] for path in (*same, "held.md", "other.md")}
    assert len(set(guids.values())) == len(guids)
    # The published article keeps its id, and ids in front matter stay.
    assert guids["y/same.md"] == "tag:example.org,2022-07-25:same"
    assert guids["other.md"] == "tag:example.org,2022-07-26:held"
    for path in ("x/same.md", "z/same.md", "drafts/same.md", "held.md"):
        assert str(guids[path]).startswith(("tag:example.org,2022-07-25:same-", "tag:example.org,2022-07-26:held-"))
        assert any(f"articles/{path}: " in note and str(guids[path]) in note for note in checked.notes)
    assert len(checked.notes) == 4
    assert problems_of(checked, "FT014") == []
    before = tree(site / "articles")
    assert fix(site).notes == ()
    assert tree(site / "articles") == before


def test_number_of_jobs_does_not_change_fixes(tmp_path: Path) -> None:
    for jobs in (1, 3):
        generate(tmp_path / str(jobs), 60, categories=5, body=(50, 200))
        check(tmp_path / str(jobs), fix=True, jobs=jobs)
    assert tree(tmp_path / "1/articles") == tree(tmp_path / "3/articles")


ATOM = "{http://www.w3.org/2005/Atom}"


def entries(site: Path) -> dict[str, tuple[tuple[str | None, ...], ...]]:
    """Return the id, dates, title and categories of every entry in every feed."""
    shutil.rmtree(site / "public", ignore_errors=True)
    shutil.rmtree(site / ".feedtool", ignore_errors=True)
    build(site, limit=1000, jobs=1)
    return {path.relative_to(site).as_posix(): tuple(_entries(path)) for path in sorted(site.rglob("atom.xml"))}


def _entries(path: Path) -> Iterator[tuple[str | None, ...]]:
    for entry in etree.parse(path).getroot().iter(f"{ATOM}entry"):
        texts = [entry.findtext(f"{ATOM}{name}") for name in ("id", "published", "updated", "title")]
        instants = [_utc(text) for text in texts[1:3]]
        yield texts[0], *instants, texts[3], *(one.get("term") for one in entry.iter(f"{ATOM}category"))


def _utc(text: str | None) -> str:
    return yaml.safe_load(text or "").timestamp()


def test_fixes_change_nothing_for_subscribers(tmp_path: Path) -> None:
    generate(tmp_path, 120, categories=6, body=(50, 200))
    write(tmp_path / "articles/capital.md", "---\ntitle: T\nDate: 2022/7/25 12:00\nUpdated: 2022/7/26\n---\nB\n")
    write(tmp_path / "articles/named/2022-07-25-plain.md", "---\ntitle: T\n---\nB\n")
    before = entries(tmp_path)
    assert sum(map(len, before.values())) > 300
    assert len(fix(tmp_path).fixed) > 100
    assert entries(tmp_path) == before
    assert fix(tmp_path).fixed == ()


LINES = st.sampled_from([
    "title: T", "Title: 'U # v' # w", 'title: "a" b', "title: [x] y", "date: 2022/7/25 # c", "DATE: 2022-07-26",
    "Published: Mon, 25 Jul 2022 12:11:30 GMT", "updated: 1658751090", "last-modified-at: '2022年7月25日'", "date: |", "date:",
    "  2022/7/27", "  # comment", "", "# date: 2020/1/1", "x-notes: 'one", "  date: two'", "categories:", " - a # b", "- 'c", "- d",
    "thumbnail: https://picsum.photos/400/300?random=1", "image: ''", "guid: g", "ID:", "x: {date: 1}", "x-y: &a b", "z: *a",
    "summary: >+", "author: {name: N", "\tdate: 1", "date\u2028: 3", "da\0te: 2022/1/1", "created: 2022-07-25T10:00:00.7Z",
])  # fmt: skip


@given(lines=st.lists(LINES, min_size=1, max_size=9), ending=st.sampled_from(["\n", "\r\n", "\r"]))
@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_fix_is_idempotent_and_keeps_values(lines: list[str], ending: str, tmp_path: Path) -> None:
    site = make_site(tmp_path, {})
    data = ending.join(["---", *lines, "---", "Body", ""]).encode()
    write(site / "articles/2022-07-25-a.md", data)
    rules = Rules(zone=yaml.safe_load("2022-07-25T00:00:00+08:00").tzinfo, authority="example.org")
    changes = fixes("2022-07-25-a.md", data, rules)
    checked = fix(site)
    after = (site / "articles/2022-07-25-a.md").read_bytes()
    if not checked.fixed:
        assert after == data
        return
    old, new = (parse_document(one, every_key=True).values for one in (data, after))
    same = [{key: value for key, value in one.items() if _normal(key) not in changes} for one in (old, new)]
    assert same[0] == same[1]
    assert after.count(b"#") >= data.count(b"#")  # comments
    assert fix(site).fixed == ()
    assert (site / "articles/2022-07-25-a.md").read_bytes() == after


def _normal(key: str) -> str:
    return key.strip().lower().replace("-", "_")
