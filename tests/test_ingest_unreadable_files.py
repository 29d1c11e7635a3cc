"""Test that unreadable and conflicted article files are reported and kept, neither recreated nor seen as deleted."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedtool.articles.conflicts import read_conflict
from feedtool.ingesting.prune import Bounds, prune
from tests.support.ingestworld import NOW, SOURCE, URL, World, counts, entry, run
from tests.support.site import make_site, tree

NOBODY = 65534


@pytest.fixture
def site() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="sealed-"))  # pytest's own folders are open to their user only
    yield make_site(folder, {}, SOURCE)
    for place, _, names in os.walk(folder):
        os.chmod(place, 0o755)
        for name in names:
            os.chmod(os.path.join(place, name), 0o644)
    shutil.rmtree(folder)


@pytest.fixture
def world() -> World:
    stand_in = World()
    stand_in.pages[URL] = [entry(number) for number in range(3)]
    return stand_in


@contextlib.contextmanager
def without_rights(site: Path) -> Iterator[None]:
    """Run as a user without permissions, because root may read everything."""
    if os.geteuid():
        yield
        return
    # A user without permissions cannot load Python's own modules either.
    _loaded(site)
    read_conflict(b"---\n<<<<<<< a\n=======\n>>>>>>> b\n---\n")
    for place, folders, names in os.walk(site):
        for name in (".", *folders, *names):
            os.chown(os.path.join(place, name), NOBODY, NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def with_conflict(text: str, ours: str, theirs: str, old: str) -> str:
    return text.replace(old, f"<<<<<<< HEAD\n{ours}=======\n{theirs}>>>>>>> branch\n")


def article(site: Path, number: int) -> Path:
    (path,) = (site / "articles").rglob(f"Story-number-{number}.md")
    return path


def unreadable(report) -> list[tuple[str, int | None]]:
    return [(problem.file, problem.line) for problem in report.problems if problem.code == "FT310"]


FORGET = {"nothing": (), "index": (".feedtool",), "state": ("feedtool.state",), "both": (".feedtool", "feedtool.state")}


def forget(site: Path, names: tuple[str, ...]) -> None:
    for name in names:
        path = site / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()


@pytest.mark.parametrize("forgotten", FORGET)
@pytest.mark.parametrize("kind", ["file", "folder"])
def test_unreadable_files_are_reported_and_kept(site, world, kind, forgotten):
    run(site, world)
    before = tree(site / "articles")
    path = article(site, 1) if kind == "file" else article(site, 1).parent
    forget(site, FORGET[forgotten])
    path.chmod(0)
    with without_rights(site):
        for _ in range(2):
            report = run(site, world, force=True)
            assert report.errors
            if kind == "file":
                assert unreadable(report) == [("articles/Wire/Story-number-1.md", None)]
            assert counts(report).get("new", 0) == 0
        if kind == "file":
            prune(_loaded(site), Bounds(keep=1), now=NOW, dry_run=True)
    path.chmod(0o755)
    assert '"gone"' not in (site / "feedtool.state").read_text()
    assert tree(site / "articles") == before
    world.pages[URL][1]["html"] = "<p>Text of story 1, corrected.</p>"
    assert counts(run(site, world, force=True)) == {"updated": 1, "unchanged": 2}
    assert not unreadable(run(site, world, force=True))


def _loaded(site: Path):
    from feedtool.config import load_settings

    return load_settings(str(site), environment={})


@pytest.mark.parametrize("forgotten", FORGET)
@pytest.mark.parametrize("conflict", ["title", "guid", "all", "stamp", "no guid"])
def test_conflicted_file_is_reported_and_unchanged(site, world, conflict, forgotten):
    run(site, world)
    path = article(site, 1)
    text = path.read_text()
    lines = {line.partition(":")[0]: f"{line}\n" for line in text.splitlines()}
    conflicts = {
        "title": with_conflict(text, lines["title"], "title: 'Other'\n", lines["title"]),
        "guid": with_conflict(text, "guid: another\n", lines["guid"], lines["guid"]),
        "all": with_conflict(text, text, text.replace("Story", "Tale"), text),
        "stamp": with_conflict(text, "feedtool: '1 AAAA Wire'\n", lines["feedtool"], lines["feedtool"]),
        "no guid": with_conflict(text, "", "", lines["guid"] + lines["source"]).replace(lines["link"], ""),
    }
    path.write_text(conflicts[conflict])
    line = conflicts[conflict].split("<<<<<<<")[0].count("\n") + 1
    forget(site, FORGET[forgotten])
    before = tree(site / "articles")
    for _ in range(2):
        report = run(site, world, force=True)
        assert unreadable(report) == [("articles/Wire/Story-number-1.md", line)]
        assert counts(report) == {"kept": 1, "unchanged": 2}
        assert tree(site / "articles") == before
    assert '"gone"' not in (site / "feedtool.state").read_text()
    prune(_loaded(site), Bounds(keep=1), now=NOW)
    assert path.exists()
    path.write_text(text)
    assert not unreadable(run(site, world, force=True))


def test_conflict_markers_in_a_body_are_text(site, world):
    run(site, world)
    path = article(site, 1)
    path.write_text(f"{path.read_text()}<<<<<<< HEAD\nA\n=======\nB\n>>>>>>> x\n")
    report = run(site, world, force=True)
    assert (unreadable(report), counts(report)) == ([], {"unchanged": 3})


PIECES = st.sampled_from(
    [
        "---\n",
        "title: A\n",
        "guid: 1\n",
        "<<<<<<< a\n",
        "=======\n",
        ">>>>>>> b\n",
        "||||||| c\n",
        "text\n",
        "\n",
        "+++\n",
        "x",
    ]
)


@given(st.lists(PIECES, max_size=20).map("".join))
def test_conflict_reader_accepts_any_text(text):
    conflict = read_conflict(text.encode())
    assert conflict is None or text.splitlines()[conflict.line - 1].startswith("<<<<<<< ")


def test_endless_markers_are_read_in_one_pass():
    assert read_conflict(b"---\n" + b"<<<<<<< a\n=======\n" * 1_000_000) is None
