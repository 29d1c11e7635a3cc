"""Test that a feed never calls a live entry deleted, whatever the index, the state and git had before."""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from feedtool.config import load_settings
from feedtool.feeds.atom_ids import any_odd, is_odd
from feedtool.feeds.values import atom_id
from feedtool.models import Report
from feedtool.protocols import in_order
from feedtool.publish import Choices, build
from tests.support.site import article, make_site, run, tree, write
from tests.support.site import build as build_command

NOW = datetime(2024, 6, 1, tzinfo=UTC)
ODD = ("12345", "a guid with spaces", "urn:x:é", "http://a.example/?a[]=1", "javascript:x", 'urn:x:"')


def built(site: Path, now: datetime = NOW, **choices: bool) -> Report:
    return build(load_settings(str(site)), mapper=in_order, clock=lambda: now, choices=Choices(**choices))


def tombstones(site: Path, feed: str = "") -> list[str]:
    """Return the ids of tombstones in the site's Atom feed, or in that of a folder."""
    text = (site / "public" / feed / "atom.xml").read_text("utf-8")
    return re.findall(r'<at:deleted-entry[^>]* ref="([^"]*)"', text)


def entries(site: Path) -> set[str]:
    return set(re.findall(r"<entry>\s*<id>([^<]*)</id>", (site / "public/atom.xml").read_text("utf-8")))


def record(key: str, when: object = "2024-05-20T00:00:00Z", feeds: object = ("",)) -> str:
    facts = {"kind": "tombstone", "key": key, "feeds": list(feeds) if isinstance(feeds, tuple) else feeds, "when": when}
    return json.dumps(facts, ensure_ascii=False) + "\n"


def records(site: Path) -> list[dict[str, Any]]:
    path = site / "feedtool.state"
    if not path.exists():
        return []
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return [row for row in rows if row["kind"] != "feedtool"]  # without the version


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Return a built site with two articles."""
    folder = make_site(
        tmp_path, {f"{n}.md": article(f"A {n}", date=f"2024-01-0{n}", front=f"guid: urn:x:{n}\n") for n in (1, 2)}
    )
    built(folder)
    return folder


def test_foreign_state_gives_live_ids_no_tombstone(tmp_path: Path) -> None:
    site = make_site(tmp_path, {"a.md": article("A", front="guid: tag:example.org,2024:1\n"), "b.md": article("B")})
    for _ in range(2):
        build_command(site)
    write(site / "feedtool.state", record("tag:example.org,2024:1", "2026-11-12T13:11:58Z"))
    result = build_command(site)
    assert (result.exit_code, tombstones(site), records(site)) == (0, [], [])
    assert result.json["written"] == 0


@pytest.mark.parametrize("identity", ["urn:x:1", *ODD])
@pytest.mark.parametrize("form", ["itself", "Atom", "both"])
@pytest.mark.parametrize("warm", [True, False], ids=["warm", "cold"])
def test_live_id_has_no_tombstone_in_any_form(tmp_path: Path, identity: str, form: str, warm: bool) -> None:
    front = f"guid: {json.dumps(identity, ensure_ascii=False)}\n"
    site = make_site(tmp_path, {"a.md": article("A", front=front), "b.md": article("B")})
    built(site)
    keys = {"itself": [identity], "Atom": [atom_id(identity)], "both": [identity, atom_id(identity)]}[form]
    write(site / "feedtool.state", "".join(record(key) for key in dict.fromkeys(keys)))
    if not warm:
        shutil.rmtree(site / ".feedtool")
    built(site)
    assert atom_id(identity) in entries(site)
    assert (tombstones(site), records(site)) == ([], [])


def test_atom_form_of_an_id_is_the_same_article(tmp_path: Path) -> None:
    site = make_site(tmp_path, {"a.md": article("A", front="guid: '12345'\n"), "b.md": article("B")})
    built(site)
    write(site / "articles/a.md", article("A", front=f"guid: {atom_id('12345')}\n"))
    built(site)
    assert atom_id("12345") in entries(site)
    assert (tombstones(site), records(site)) == ([], [])


def test_other_unicode_form_is_a_deletion(tmp_path: Path) -> None:
    # Readers compare ids character by character (RFC 4287 section 4.2.6.1), so these are two ids.
    site = make_site(tmp_path, {"a.md": article("A", front="guid: urn:x:e\u0301\n"), "b.md": article("B")})
    built(site)
    write(site / "articles/a.md", article("A", front="guid: urn:x:\u00e9\n"))
    built(site)
    assert tombstones(site) == [atom_id("urn:x:e\u0301")]
    assert atom_id("urn:x:\u00e9") in entries(site)


@pytest.mark.parametrize("choice", ["drafts", "future"])
@pytest.mark.parametrize("again", [False, True], ids=["changed", "unchanged"])
def test_preview_hides_tombstones_of_shown_articles(site: Path, choice: str, again: bool) -> None:
    hidden = "draft: true\n" if choice == "drafts" else ""
    date = "2024-01-01" if choice == "drafts" else "2030-01-01"
    write(site / "articles/1.md", article("A 1", date=date, front=f"guid: urn:x:1\n{hidden}"))
    built(site)
    assert tombstones(site) == ["urn:x:1"]
    before = records(site)
    for _ in range(2 if again else 1):
        built(site, **{choice: True})
        assert "urn:x:1" in entries(site)
        assert tombstones(site) == []
    # A preview is not published, so the next build writes the tombstone again.
    assert records(site) == before
    built(site)
    assert tombstones(site) == ["urn:x:1"]


def test_preview_before_first_build_keeps_deletions(site: Path) -> None:
    shutil.rmtree(site / ".feedtool")
    built(site, drafts=True)
    (site / "articles/1.md").unlink()
    built(site)
    assert tombstones(site) == ["urn:x:1"]


def test_second_output_folder_gets_tombstones(site: Path) -> None:
    settings = load_settings(str(site), options={"output": str(site / "other")})
    for _ in range(2):
        build(settings, mapper=in_order, clock=lambda: NOW)
        (site / "articles/1.md").unlink(missing_ok=True)
    text = (site / "other/atom.xml").read_text("utf-8")
    assert 'ref="urn:x:1"' in text


def test_foreign_state_keeps_existing_tombstones(site: Path) -> None:
    (site / "articles/1.md").unlink()
    built(site)
    state = (site / "feedtool.state").read_bytes()
    write(site / "feedtool.state", state + record("urn:x:2").encode())
    built(site)
    assert (site / "feedtool.state").read_bytes() == state
    assert tombstones(site) == ["urn:x:1"]


def test_two_tombstones_of_one_id_are_merged(site: Path) -> None:
    write(
        site / "feedtool.state",
        record("12345", "2024-05-01T00:00:00Z", ("categories/a",))
        + record(atom_id("12345"), "2024-05-03T00:00:00Z")
        + record("urn:gone", "2024-05-02T00:00:00Z")
        + record("urn:gone", "2024-05-01T00:00:00Z", ("categories/b",)),
    )
    built(site)
    assert tombstones(site) == [atom_id("12345"), "urn:gone"]
    assert records(site) == [
        {"kind": "tombstone", "key": "12345", "feeds": ["", "categories/a"], "when": "2024-05-03T00:00:00Z"},
        {"kind": "tombstone", "key": "urn:gone", "feeds": ["", "categories/b"], "when": "2024-05-02T00:00:00Z"},
    ]


@pytest.mark.parametrize(
    "when", ["", "soon", None, 5, [], "2099-01-01T00:00:00Z", "9999-12-31T23:59:59+23:59", "0000-00-00"]
)
def test_invalid_time_counts_as_now(site: Path, when: object) -> None:
    write(site / "feedtool.state", record("urn:gone", when) + record("urn:x:1", when))
    built(site)
    assert tombstones(site) == ["urn:gone"]
    assert [one["when"] for one in records(site)] == ["2024-06-01T00:00:00Z"]
    built(site, NOW + timedelta(days=1))
    assert [one["when"] for one in records(site)] == ["2024-06-01T00:00:00Z"]


def test_slow_clock_changes_no_tombstone(site: Path) -> None:
    (site / "articles/1.md").unlink()
    built(site)
    state = (site / "feedtool.state").read_bytes()
    built(site, NOW - timedelta(hours=23))
    assert (site / "feedtool.state").read_bytes() == state


def test_state_conflict_markers_keep_tombstones(site: Path) -> None:
    (site / "articles/1.md").unlink()
    text = f"<<<<<<< HEAD\n{record('urn:x:1')}=======\n{record('urn:x:2')}>>>>>>> other\n"
    write(site / "feedtool.state", text)
    built(site)
    assert tombstones(site) == ["urn:x:1"]
    assert [one["key"] for one in records(site)] == ["urn:x:1"]


def test_branch_switch_deletes_only_missing_articles(site: Path) -> None:
    def git(*words: str) -> None:
        done = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", "-C", str(site), *words]
        subprocess.run(done, check=True, capture_output=True)

    write(site / ".gitignore", ".feedtool/\npublic/\n")
    git("init", "-q", "-b", "main")
    git("add", "-A")
    git("commit", "-qm", "main")
    git("switch", "-qc", "topic")
    write(site / "articles/topic.md", article("T", date="2024-02-02", front="guid: urn:x:topic\n"))
    git("add", "-A")
    git("commit", "-qm", "topic")
    built(site)
    assert (entries(site), tombstones(site)) == ({"urn:x:1", "urn:x:2", "urn:x:topic"}, [])
    # The article was published and is missing, so feeds have a tombstone, and git shows it in the state.
    git("switch", "-q", "main")
    built(site)
    assert (entries(site), tombstones(site)) == ({"urn:x:1", "urn:x:2"}, ["urn:x:topic"])
    # The switch keeps the uncommitted state; the article is back, so its tombstone goes.
    git("switch", "-q", "topic")
    built(site)
    assert (entries(site), tombstones(site), records(site)) == ({"urn:x:1", "urn:x:2", "urn:x:topic"}, [], [])
    # A merge brings a tombstone that another branch committed.
    git("switch", "-q", "main")
    built(site)
    git("add", "-A")
    git("commit", "-qm", "without the topic")
    git("merge", "-q", "--no-edit", "topic")
    built(site)
    assert (entries(site), tombstones(site), records(site)) == ({"urn:x:1", "urn:x:2", "urn:x:topic"}, [], [])


def test_missing_folder_gives_tombstones(site: Path) -> None:
    write(site / "articles/topic/t.md", article("T", date="2024-02-02", front="guid: urn:x:topic\n"))
    built(site)
    shutil.move(site / "articles/topic", site / "topic")
    built(site)
    assert tombstones(site) == ["urn:x:topic"]
    # A file in place of the folder is a deletion, too.
    shutil.move(site / "topic", site / "articles/topic")
    built(site)
    assert tombstones(site) == []
    shutil.rmtree(site / "articles/topic")
    write(site / "articles/topic", "a file")
    built(site)
    assert tombstones(site) == ["urn:x:topic"]


@pytest.mark.parametrize("warm", [True, False], ids=["warm", "cold"])
def test_empty_folder_gives_no_tombstone(site: Path, warm: bool) -> None:
    # For example a disk that is not mounted, or an unfinished checkout.
    shutil.move(site / "articles", site / "kept")
    (site / "articles").mkdir()
    if not warm:
        shutil.rmtree(site / ".feedtool")
    built(site)
    assert (tombstones(site), records(site)) == ([], [])
    shutil.rmtree(site / "articles")
    shutil.move(site / "kept", site / "articles")
    built(site)
    assert (entries(site), tombstones(site)) == ({"urn:x:1", "urn:x:2"}, [])


@pytest.mark.parametrize("warm", [True, False], ids=["warm", "cold"])
@pytest.mark.parametrize(
    "broken",
    [
        "",
        "---\ntitle: [\n---\n",
        "---\ntitle: A\n  date 2022\n: x\n---\nx\n",
        "---\ntitle: T\n---\n",
        "---\ntitle: A\ndate: 2022-01-0l\n---\nx\n",
    ],
    ids=["empty", "YAML", "indentation", "undated", "invalid date"],
)
def test_unreadable_article_is_not_deleted(site: Path, broken: str, warm: bool) -> None:
    write(site / "articles/1.md", broken)
    if not warm:
        shutil.rmtree(site / ".feedtool")
    built(site)
    assert (tombstones(site), records(site)) == ([], [])


class Story:
    """A site with random changes between builds, to its articles, its state and its index."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.rng = random.Random(seed)
        extra = self.rng.choice(
            ("", "[feeds]\nlimit = 3\n", '[feeds]\nformats = ["rss", "atom"]\n', "[feeds]\narchive = true\n")
        )
        self.site = make_site(folder, {}, extra)
        self.ids = [f"urn:x:{n}" for n in range(5)] + list(ODD)
        self.states: list[bytes | None] = [None]
        self.now = NOW
        for number in range(len(self.ids)):
            self.edit(number)

    def edit(self, number: int) -> None:
        rng = self.rng
        front = f"guid: {json.dumps(self.ids[number], ensure_ascii=False)}\ncategories: [{rng.choice('AB')}]\n"
        front += rng.choice(("", "", "", "draft: true\n"))
        date = "2024-07-01" if rng.random() < 0.1 else f"2024-0{rng.randint(1, 5)}-{rng.randint(1, 28):02}"
        write(self.site / f"articles/{number}.md", article(f"T {rng.randint(1, 99)}", date=date, front=front))

    def go_on(self) -> str:
        """Make one random change and return its description."""
        rng, state = self.rng, self.site / "feedtool.state"
        number = rng.randrange(len(self.ids))
        step = rng.choice(("edit", "delete", "delete", "state", "state", "buried", "form", "index", "nothing", "time"))
        if step == "edit":
            self.edit(number)
        elif step == "delete":
            (self.site / f"articles/{number}.md").unlink(missing_ok=True)
        elif step == "state":
            self.put(rng.choice(self.states))
        elif step == "buried":
            self.put((state.read_bytes() if state.exists() else b"") + record(self.ids[number]).encode())
        elif step == "form":
            self.put((state.read_bytes() if state.exists() else b"") + record(atom_id(self.ids[number])).encode())
        elif step == "index":
            shutil.rmtree(self.site / ".feedtool", ignore_errors=True)
        elif step == "time":
            self.now += timedelta(days=rng.choice((1, 40)))
        return f"{step} {number}"

    def put(self, state: bytes | None) -> None:
        (self.site / "feedtool.state").unlink(missing_ok=True)
        if state is not None:
            write(self.site / "feedtool.state", state)

    def remember(self) -> None:
        state = self.site / "feedtool.state"
        self.states.append(state.read_bytes() if state.exists() else None)


def comparable(site: Path, now: datetime) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Return the output and the tombstones in the state; ids are in their Atom form, as without an index.

    A build without changes writes nothing, so repeated and expired lines stay until the next one that writes.
    """
    oldest = now - timedelta(days=load_settings(str(site)).feeds.tombstone_days)
    by_id = {
        atom_id(one["key"]): (one["when"], one["feeds"])
        for one in sorted(records(site), key=lambda one: str(one["when"]))
    }
    return tree(site / "public"), {key: one for key, one in by_id.items() if datetime.fromisoformat(one[0]) > oldest}


@pytest.mark.parametrize("seed", range(12))
def test_indexed_build_equals_one_without_an_index(tmp_path: Path, seed: int) -> None:
    (tmp_path / "site").mkdir()
    story = Story(tmp_path / "site", seed)
    done = []
    for _ in range(12):
        done.append(story.go_on())
        twin = tmp_path / "twin"
        shutil.rmtree(twin, ignore_errors=True)
        shutil.copytree(story.site, twin)
        shutil.rmtree(twin / ".feedtool", ignore_errors=True)
        preview = {"drafts": True} if story.rng.random() < 0.2 else {"future": True} if story.rng.random() < 0.1 else {}
        place = story.site
        if preview:
            # A build without an index could not recognise the entries that a preview added to the output.
            place = tmp_path / "preview"
            shutil.rmtree(place, ignore_errors=True)
            shutil.copytree(story.site, place)
        built(place, story.now, **preview)
        built(twin, story.now, **preview)
        assert comparable(place, story.now) == comparable(twin, story.now), done
        assert not entries(place) & set(tombstones(place)), done
        again = comparable(place, story.now)
        report = built(place, story.now, **preview)
        assert (report.written, comparable(place, story.now)) == (0, again), done
        story.remember()


@example("urn:x:\x01a")
@example("tag:example.org,2024-01-01:%E4%BA%BA")
@example("JavaScript:alert(1)")
@example("http://ex%41mple.org/%zz")
@example("data:,x")
@example("tag:")
@example("tag:a\nurn:b")
@example("tag:a%zz")
@given(st.one_of(st.text(), st.from_regex(r"[a-z]{1,9}:(//)?[!-~é ]{0,20}", fullmatch=True)))
def test_ordinary_id_is_its_own_atom_form(identity: str) -> None:
    assert is_odd(identity) or atom_id(identity) == identity
    assert any_odd([identity]) is is_odd(identity)
    assert any_odd(["tag:a,2024:b", identity, "urn:x:1"]) is is_odd(identity)


def test_generated_ids_are_not_odd() -> None:
    assert not is_odd("tag:example.org,2024-01-01:" + "%E4%BA%BA-name_(1)~!$&'*+,;=:@")
    assert not is_odd("urn:uuid:6b0f2a30-0000-4000-8000-000000000000")
    assert not is_odd("https://example.org/2024/a/?p=1#x")


def test_check_command_does_not_change_the_state(site: Path) -> None:
    write(site / "feedtool.state", record("urn:x:1"))
    before = (site / "feedtool.state").read_bytes()
    run("check", "-C", str(site))
    assert (site / "feedtool.state").read_bytes() == before
