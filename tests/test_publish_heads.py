"""Test that heads of folders in several parts equal those of a fresh read, and that no file is read twice."""

from __future__ import annotations

import errno
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from feedtool import storage
from feedtool.articles import Rules
from feedtool.catalog import fingerprints
from feedtool.catalog.index import Index
from feedtool.catalog.signing import Signer
from feedtool.protocols import in_order
from feedtool.publish import heads as heads_module
from feedtool.publish import scan
from feedtool.publish.heads import Heads
from feedtool.publish.scan import Place, list_folders
from tests.support.site import article, write

LATER = 4_000_000_000_000_000_000
RULES = Rules(authority="example.org")


@pytest.fixture(autouse=True)
def parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make parts of three files."""
    monkeypatch.setattr(heads_module, "PART", 3)
    monkeypatch.setattr(fingerprints, "PART", 3)


class Run:
    """The heads of one build, read as the pipeline reads them."""

    def __init__(self, root: Path, index: Index, monkeypatch: pytest.MonkeyPatch, *, update: bool = True) -> None:
        earlier = index.fingerprints()
        place = Place(str(root), "articles/", b"rules", LATER)
        self.listing = list_folders(place, earlier, in_order, many=False)
        self.read: list[str] = []
        real = storage.read_prefixes

        def read_prefixes(names: list[str], *given: Any, folder: str, **more: Any) -> Any:
            self.read += [f"{folder}{name}".removeprefix(f"{root}/") for name in names]
            return real(names, *given, folder=folder, **more)

        with monkeypatch.context() as patch:
            patch.setattr(storage, "read_prefixes", read_prefixes)
            self.heads = Heads(str(root), RULES, index, in_order)
            updated = self.heads.update(self.listing, earlier) if update and earlier else None
            self.rows = dict(self._rows(self.heads.stream(self.listing, earlier, updated)))
            self.same = self.heads.unchanged
        self.again = {head[0]: tuple(head[1:]) for batch in self.heads.stored(self.listing) for head in batch}
        self.kept = index.fingerprints()

    def _rows(self, batches: Any) -> Iterator[tuple[str, tuple[Any, ...]]]:
        for folder, files, rows in batches:
            assert len(files) == len(rows) <= 3
            for file, row in zip(files, rows, strict=True):
                yield folder + file[0], tuple(row)


def fresh(root: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    index = Index(None, Signer())
    index.begin()
    return Run(root, index, monkeypatch)


def change(root: Path, rng: random.Random, number: int) -> None:
    path = root / rng.choice(("", "f/", "f/g/", "h/")) / f"{rng.randrange(9)}.md"
    if path.exists() and rng.random() < 0.5:
        path.unlink()
    else:
        write(path, article(f"T {number}", front=f"guid: urn:{rng.randrange(99)}\n"))


@pytest.mark.parametrize("seed", range(8))
def test_heads_equal_those_of_a_fresh_read(tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(seed)
    for number in range(25):
        change(tmp_path, rng, number)
    index = Index(None, Signer())
    index.begin()
    rows = Run(tmp_path, index, monkeypatch).rows
    for number in range(12):
        before = dict(rows)
        for _ in range(rng.choice((0, 1, 1, 4))):
            change(tmp_path, rng, number)
        run = Run(tmp_path, index, monkeypatch, update=rng.random() < 0.8)
        expected = fresh(tmp_path, monkeypatch).rows
        assert run.rows == run.again == expected
        assert run.kept == run.listing.fingerprints
        assert not run.same or expected == before
        assert run.same or bool(run.read) or len(expected) != len(before)
        # Changed files are read; others at most to compare them.
        differing = {path for path in expected if expected[path] != before.get(path)}
        assert set(run.read) >= differing
        assert len(run.read) == len(set(run.read))
        rows = expected


@pytest.mark.parametrize("count", [1, 2, 3, 4, 6, 7, 10])
def test_large_folder_is_read_once_and_completely(tmp_path: Path, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"f/{number:02}.md" for number in range(count)]
    for name in names:
        write(tmp_path / name, article(name, front=f"guid: urn:{name}\n"))
    index = Index(None, Signer())
    index.begin()
    first = Run(tmp_path, index, monkeypatch)
    assert (first.read, list(first.rows), list(first.again)) == (names, names, names)
    assert [row[0] for row in first.rows.values()] == [f"urn:{name}" for name in names]
    second = Run(tmp_path, index, monkeypatch)
    assert (second.read, second.rows, second.same) == ([], first.rows, True)
    # Only the changed file is read.
    write(tmp_path / names[-1], article("Other", front="guid: urn:other\n"))
    third = Run(tmp_path, index, monkeypatch)
    assert (third.read, third.same, third.rows[names[-1]][0]) == ([names[-1]], False, "urn:other")
    # A file with a new mtime only is read, and its head is unchanged.
    os.utime(tmp_path / names[-1], ns=(1, 1))
    fourth = Run(tmp_path, index, monkeypatch)
    assert (fourth.read, fourth.same, fourth.rows) == ([names[-1]], True, third.rows)
    (tmp_path / names[0]).unlink()
    last = Run(tmp_path, index, monkeypatch)
    assert (last.read, last.same, list(last.rows)) == ([], False, names[1:])
    assert set(last.kept) == ({"f/"} if count > 1 else set())


@pytest.mark.parametrize(
    ("code", "words", "again"), [(errno.EACCES, "Permission denied", True), (errno.EFBIG, "File too large", False)]
)
@pytest.mark.parametrize("first", [True, False], ids=["first", "later"])
def test_unreadable_file_is_read_again(
    tmp_path: Path, code: int, words: str, again: bool, first: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"{number}.md" for number in range(5)]
    for name in names:
        write(tmp_path / name, article(name, front=f"guid: urn:{name}\n"))
    index = Index(None, Signer())
    index.begin()
    if not first:
        Run(tmp_path, index, monkeypatch)
        write(tmp_path / "3.md", article("3 again", front="guid: urn:3.md\n"))
    real = storage.read_prefixes

    def refused(names: list[str], *given: Any, **more: Any) -> Any:
        for name, data in zip(names, real(names, *given, **more), strict=True):
            yield OSError(code, words) if name == "3.md" else data

    with monkeypatch.context() as patch:
        patch.setattr(storage, "read_prefixes", refused)
        run = Run(tmp_path, index, patch)
    assert list(run.rows) == names
    assert run.rows["3.md"][0] == ""
    assert [row[:3] for row in run.rows["3.md"][10]] == [("articles/3.md", "FT001", f"cannot be read: {words}")]
    assert [path for path, row in run.rows.items() if row[10]] == ["3.md"]
    after = Run(tmp_path, index, monkeypatch)
    assert after.read == (["3.md"] if again else [])
    assert (after.rows["3.md"][0] == "urn:3.md") is again


def test_too_many_changed_files_are_listed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fill(text: str) -> None:
        for folder in "abc":
            for number in range(4):
                write(tmp_path / folder / f"{number}.md", article(text, front=f"guid: urn:{folder}{number}\n"))

    fill("one")
    index = Index(None, Signer())
    index.begin()
    Run(tmp_path, index, monkeypatch)
    for folder in "ab":
        write(tmp_path / folder / "9.md", article("nine", front=f"guid: urn:9{folder}\n"))
    for most, overflowed in ((10, False), (9, True)):
        monkeypatch.setattr(scan, "MAX_CHANGED", most)
        place = Place(str(tmp_path), "articles/", b"rules", LATER)
        listing = list_folders(place, index.fingerprints(), in_order, many=False)
        assert listing.overflowed is overflowed
        assert [(folder.path, len(folder.files)) for folder in listing.changed] == (
            [] if overflowed else [("a/", 5), ("b/", 5)]
        )
    heads = Heads(str(tmp_path), RULES, index, in_order)
    assert heads.update(listing, index.fingerprints()) is None
    fill("two")
    run = Run(tmp_path, index, monkeypatch)
    assert run.listing.overflowed
    assert run.rows == fresh(tmp_path, monkeypatch).rows
    assert (len(run.rows), len(run.read)) == (14, 14)
    assert Run(tmp_path, index, monkeypatch).read == []
