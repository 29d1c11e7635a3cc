"""Test which new entries an ingest takes, how it names their files, and what an update changes."""

from __future__ import annotations

import json
import re
import shutil
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from feedtool.config import load_settings
from feedtool.ingesting.lookup import LookupIndex
from feedtool.ingesting.memory import Memory, entry_key, title_key
from feedtool.ingesting.upsert import Rules, Upserter
from feedtool.ingesting.values import Origin
from feedtool.ingesting.writer import Writer
from tests.support.ingestworld import NOW, SOURCE, URL, World, counts, entry, run
from tests.support.site import article, make_site, write


@pytest.fixture
def world() -> World:
    return World()


def paths_of(site: Path) -> list[str]:
    return sorted(
        path.relative_to(site / "articles").as_posix() for path in (site / "articles").rglob("*") if path.is_file()
    )


def numbers(site: Path) -> list[int]:
    return sorted(int(re.sub(r"\D", "", Path(path).stem)) for path in paths_of(site))


DATES = [NOW - timedelta(days=3), None, NOW - timedelta(days=1), NOW - timedelta(days=2), NOW + timedelta(days=9), NOW]


@pytest.mark.parametrize(
    ("choices", "taken"),
    [
        ({}, [0, 1, 2, 3, 4, 5]),
        ({"limit": 1}, [5]),
        ({"limit": 3}, [2, 3, 5]),
        ({"limit": 5}, [0, 1, 2, 3, 5]),
        ({"limit": 0}, []),
        ({"limit": 99}, [0, 1, 2, 3, 4, 5]),
        ({"since": NOW - timedelta(days=2)}, [1, 2, 3, 4, 5]),
        ({"since": NOW - timedelta(days=2) + timedelta(seconds=1)}, [1, 2, 4, 5]),
        ({"since": NOW + timedelta(seconds=1)}, []),
        ({"since": NOW - timedelta(days=2), "limit": 2}, [2, 5]),
    ],
)
def test_new_entries_are_limited_by_date_and_number(
    tmp_path: Path, world: World, choices: Any, taken: list[int]
) -> None:
    site = make_site(tmp_path, {}, SOURCE)
    entries = [entry(number, published=day.isoformat() if day else None) for number, day in enumerate(DATES)]
    world.pages[URL] = entries
    report = run(site, world, **choices)
    assert numbers(site) == taken
    expected = {"new": len(taken), "skipped": len(DATES) - len(taken)}
    assert counts(report) == {name: count for name, count in expected.items() if count}
    # The next run takes the entries that were left, although the feed did not change.
    report = run(site, world, now=NOW + timedelta(days=1))
    assert counts(report).get("new", 0) == len(DATES) - len(taken)
    assert run(site, world, now=NOW + timedelta(days=2)).tallies[0].outcome == "unchanged"


def test_undated_entries_keep_the_order_of_their_feed(tmp_path: Path, world: World) -> None:
    site = make_site(tmp_path, {}, SOURCE)
    world.pages[URL] = [entry(number, published=None) for number in range(3)]
    run(site, world, now=NOW.replace(microsecond=7))
    dates = [re.search("date: (.*)\n", (site / "articles" / path).read_text("utf-8")) for path in paths_of(site)]
    assert [found and found[1] for found in dates] == [f"2026-11-23T18:{text}Z" for text in ("30:00", "29:59", "29:58")]
    assert all("date_guessed: true\n" in (site / "articles" / path).read_text("utf-8") for path in paths_of(site))


@pytest.mark.parametrize(
    ("html", "name"),
    [
        ("<p>Text.</p>", "T.md"),
        ("", "T.md"),
        (" \n", "T.md"),
        ("  <p>Text.</p>", "T.md"),
        ("Text <b>x</b>", "T.html"),
    ],
)
def test_body_decides_the_suffix_of_a_file(tmp_path: Path, world: World, html: str, name: str) -> None:
    site = make_site(tmp_path, {}, SOURCE)
    world.pages[URL] = [entry(0, title="T", html=html)]
    run(site, world)
    assert paths_of(site) == [f"Wire/{name}"]


def test_older_of_two_with_one_title_gets_the_name(tmp_path: Path, world: World) -> None:
    site = make_site(tmp_path, {}, SOURCE)
    world.pages[URL] = [entry(number, title="T") for number in range(2)]
    run(site, world)
    first, second = paths_of(site)
    assert (first.startswith("Wire/T-"), second) == (True, "Wire/T.md")
    assert "guid: 'https://news.example.org/1'" in (site / "articles" / second).read_text("utf-8")


@pytest.mark.parametrize(
    ("facts", "marks"),
    [
        ({}, ["id"]),
        ({"guid": ""}, ["id", "link"]),
        ({"link": None}, ["id", "date"]),
        ({"link": "https://news.example.org/0#c"}, ["id", "date"]),
        ({"guid": "", "link": None}, ["generated", "date"]),
    ],
)
def test_entry_is_remembered_by_id_link_or_date(tmp_path: Path, world: World, facts: Any, marks: list[str]) -> None:
    site = make_site(tmp_path, {"mine.md": article("Mine")}, SOURCE)
    one = entry(0, **facts)
    world.pages[URL] = [one]
    run(site, world)
    kept = Memory(str(site)).entry_keys("Wire")
    path, _ = paths_of(site)
    (guid,) = re.findall("guid: '?([^'\n]*)'?\n", (site / "articles" / path).read_text("utf-8"))
    keys = {
        "id": entry_key(guid), "generated": entry_key(guid), "link": entry_key("news.example.org/0"),
        "date": title_key("", one["title"], int(NOW.timestamp())),
    }  # fmt: skip
    assert kept == {keys[mark] for mark in marks}
    # The second visit, which finds the article, remembers the same keys.
    run(site, world, force=True)
    assert Memory(str(site)).entry_keys("Wire") >= {keys[marks[0]]}
    # A deleted article is not created again; its tombstone has the remaining keys.
    (site / "articles" / path).unlink()
    world.pages[URL] = [one, entry(5)]
    assert counts(run(site, world, force=True)) == {"new": 1, "skipped": 1}
    assert counts(run(site, world, force=True)) == {"skipped": 1, "unchanged": 1}


@pytest.mark.parametrize(
    ("how", "edit", "change", "counted", "body", "title"),
    [
        ("merge", "", {"html": "<p>New.</p>"}, {"updated": 1}, "<p>New.</p>", "Story number 0"),
        ("merge", "body", {"html": "<p>New.</p>"}, {"kept": 1}, "<p>Mine.</p>", "Story number 0"),
        ("merge", "body", {"title": "New"}, {"updated": 1}, "<p>Mine.</p>", "New"),
        ("merge", "title", {"title": "New"}, {"kept": 1}, "<p>Text of story 0.</p>", "Mine"),
        ("keep", "", {"html": "<p>New.</p>"}, {"kept": 1}, "<p>Text of story 0.</p>", "Story number 0"),
        ("keep", "", {}, {"unchanged": 1}, "<p>Text of story 0.</p>", "Story number 0"),
        ("overwrite", "", {"html": "<p>New.</p>"}, {"updated": 1}, "<p>New.</p>", "Story number 0"),
        ("overwrite", "body", {"title": "New"}, {"updated": 1}, "<p>Text of story 0.</p>", "New"),
        ("overwrite", "body", {}, {"updated": 1}, "<p>Text of story 0.</p>", "Story number 0"),
        ("overwrite", "", {}, {"unchanged": 1}, "<p>Text of story 0.</p>", "Story number 0"),
        ("merge", "stamp", {"html": "<p>New.</p>"}, {"kept": 1}, "<p>Text of story 0.</p>", "Story number 0"),
        ("overwrite", "stamp", {"html": "<p>New.</p>"}, {"kept": 1}, "<p>Text of story 0.</p>", "Story number 0"),
        ("merge", "", {"title": ""}, {"updated": 1}, "<p>Text of story 0.</p>", "Text of story 0."),
    ],
)
def test_update_keeps_what_a_person_edited(
    tmp_path: Path, world: World, how: str, edit: str, change: Any, counted: dict[str, int], body: str, title: str
) -> None:
    site = make_site(tmp_path, {}, f'{SOURCE}on_update = "{how}"\n')
    world.pages[URL] = [entry(0)]
    run(site, world)
    (path,) = paths_of(site)
    file = site / "articles" / path
    text = file.read_text("utf-8")
    edits = {
        "body": text.replace("<p>Text of story 0.</p>", "<p>Mine.</p>"),
        "title": text.replace("title: 'Story number 0'", "title: Mine"),
        "stamp": re.sub("feedtool: .*\n", "", text),
        "": text,
    }
    assert (edits[edit] == text) is (edit == "")
    write(file, edits[edit])
    world.pages[URL] = [entry(0, **change)]
    dry = run(site, world, force=True, dry_run=True)
    assert (counts(dry), file.read_text("utf-8")) == (counted, edits[edit])
    report = run(site, world, force=True)
    assert counts(report) == counted
    assert report.tallies[0].files == ([path] if "updated" in counted else [])
    after = file.read_text("utf-8")
    assert re.findall("title: '?([^'\n]*)'?\n", after)[0] == title
    assert after.endswith(f"---\n\n{body}\n")
    again = counts(run(site, world, force=True))
    assert again in ({"unchanged": 1}, {"kept": 1}, counted if how == "keep" else {"unchanged": 1})


def test_site_of_another_generator_gets_its_file_names(tmp_path: Path, world: World) -> None:
    world.pages[URL] = [entry(0)]
    for flavour, name in (
        ("jekyll", "2026-11-24-story-number-0"),
        ("hexo", "Story-number-0"),
        ("hugo", "Story-number-0"),
    ):
        site = make_site(tmp_path / flavour, {}, f'[articles]\nflavour = "{flavour}"\n{SOURCE}')
        report = run(site, world)
        assert counts(report) == {"new": 1}, report.problems
        assert [Path(path).stem.lower() for path in paths_of(site)] == [name.lower()]
        assert load_settings(str(site), environment={}).articles.generator == flavour


def test_article_is_remembered_by_its_own_guid(tmp_path: Path, world: World) -> None:
    site = make_site(tmp_path, {"mine.md": article("Mine")}, SOURCE)
    own, other = "https://news.example.org/0", "urn:other"
    world.pages[URL] = [entry(0)]
    run(site, world)
    world.pages[URL] = [entry(0, guid=other)]
    assert counts(run(site, world, force=True)) == {"unchanged": 1}
    kept = Memory(str(site)).entry_keys("Wire")
    assert kept == {entry_key(own), entry_key("news.example.org/0")}
    (site / "articles/Wire/Story-number-0.md").unlink()
    assert counts(run(site, world, force=True)) == {"skipped": 1}
    # An article with a link and no guid, written by a person, is remembered by the entry's guid.
    write(
        site / "articles/own.md",
        article("Story number 7", date="2026-11-16T18:30:00Z", front="link: https://news.example.org/7\n"),
    )
    world.pages[URL] = [entry(7)]
    assert counts(run(site, world, force=True)) == {"kept": 1}
    assert entry_key("https://news.example.org/7") in Memory(str(site)).entry_keys("Wire")


def test_deleted_entry_is_remembered_by_its_title(tmp_path: Path, world: World) -> None:
    site = make_site(tmp_path, {"mine.md": article("Mine")}, SOURCE)
    world.pages[URL] = [entry(0)]
    run(site, world)
    (site / "articles/Wire/Story-number-0.md").unlink()
    # Without the index, only the feed shows which articles existed.
    shutil.rmtree(site / ".feedtool")
    run(site, world, force=True, dry_run=True)
    assert not Memory(str(site)).is_deleted("Wire", [entry_key("https://news.example.org/0")])
    run(site, world, force=True)
    memory = Memory(str(site))
    link = "news.example.org/0"
    marks = [entry_key("https://news.example.org/0"), title_key(link, "Story number 0", 0)]
    assert {key for kind, key in memory._state if kind == "gone"} == {f"{mark} Wire" for mark in marks}


def test_site_without_articles_starts_again(tmp_path: Path, world: World) -> None:
    site = make_site(tmp_path, {}, SOURCE)
    world.pages[URL] = [entry(0), entry(1)]
    run(site, world)
    kept = Memory(str(site)).entry_keys("Wire")
    world.pages[URL] = [entry(1), entry(2)]
    for path in paths_of(site):
        (site / "articles" / path).unlink()
    assert counts(run(site, world)) == {"new": 2}
    assert Memory(str(site)).entry_keys("Wire") == {
        entry_key(f"https://news.example.org/{number}") for number in (1, 2)
    }
    assert kept == {entry_key(f"https://news.example.org/{number}") for number in (0, 1)}


@pytest.mark.parametrize(
    ("how", "edit", "digest", "wants"),
    [
        ("merge", "", "new", True),
        ("merge", "", "old", False),
        ("merge", "body", "new", False),
        ("merge", "title", "new", True),
        ("overwrite", "body", "new", True),
        ("overwrite", "body", "old", False),
        ("keep", "", "new", False),
        ("merge", "stamp", "new", False),
        ("overwrite", "gone", "new", False),
    ],
)
def test_pages_are_fetched_for_changed_entries(
    tmp_path: Path, world: World, how: Any, edit: str, digest: str, wants: bool
) -> None:
    site = make_site(tmp_path, {}, SOURCE)
    world.pages[URL] = [entry(0, digest="old"), entry(1, digest="x")]
    run(site, world, limit=1)
    (path,) = paths_of(site)
    file = site / "articles" / path
    text = file.read_text("utf-8")
    edits = {
        "body": ("Text of", "My text of"),
        "title": ("title: 'Story", "title: 'My story"),
        "stamp": ("feedtool: ", "x: "),
    }
    write(file, text.replace(*edits.get(edit, ("", ""))))
    settings = load_settings(str(site), environment={})
    with LookupIndex(str(site / "articles"), None) as index:
        index.refresh("articles/")
        upserter = Upserter(index, Memory(str(site)), Writer(str(site / "articles")), NOW)
        if edit == "gone":
            file.unlink()
        made_of = [entry(0, digest=digest), entry(1, digest="x"), entry(2, link=None, digest="y")]
        (parsed,) = world.parse([SimpleNamespace(key="Wire", body=json.dumps(made_of).encode())])
        origin, rules = Origin(source=settings.sources[0], url=URL), Rules(how=how)
        found = upserter.new_or_outdated(parsed.entries, origin, rules, [])
        (existing,) = index.by_guid("https://news.example.org/0")
        expected = {1: (None, True), 2: (None, False)}
        assert found == ({0: (existing, True), **expected} if wants else expected)
        bounded = upserter.new_or_outdated(parsed.entries, origin, Rules(how=how, limit=1), [])
        assert bounded == ({0: (existing, True), 1: (None, True)} if wants else {1: (None, True)})
        index.unreadable.add(path)
        assert upserter.new_or_outdated(parsed.entries, origin, rules, []) == expected
        # An article that existed at the last visit and exists no more was deleted.
        before = [entry_key("https://news.example.org/1")]
        assert upserter.new_or_outdated(parsed.entries, origin, rules, before) == {2: (None, False)}
