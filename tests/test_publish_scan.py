"""Test that one process and many list the articles folder alike, whatever changed since the last index."""

from __future__ import annotations

import itertools
import os
import random
import shutil
import time
from pathlib import Path

import pytest

from feedtool import storage
from feedtool.articles import Rules
from feedtool.catalog.fingerprints import is_racy
from feedtool.catalog.index import Index
from feedtool.catalog.signing import Signer
from feedtool.protocols import Mapper, in_order
from feedtool.publish.heads import Heads
from feedtool.publish.scan import Listing, Place, list_folders
from feedtool.storage import prefixes
from feedtool.workers import forked
from feedtool.workers.pool import Pool

LATER = 4_000_000_000_000_000_000
"""Nanoseconds since 1970: no file was changed so lately that its mark is not believed."""


@pytest.fixture(autouse=True)
def has_forks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Allow forking although the test runner has threads to its workers."""
    monkeypatch.setattr(forked, "can_fork", lambda: True)


def listed(root: Path, fingerprints: dict[str, bytes], mapper: Mapper, *, many: bool) -> Listing:
    return list_folders(Place(str(root), "articles/", b"rules", LATER), fingerprints, mapper, many=many)


def first(root: Path) -> dict[str, bytes]:
    """Return the fingerprints that a first build stores, which reads the stat of files as it opens them."""
    index = Index(None, Signer())
    listing = listed(root, {}, in_order, many=False)
    for _ in Heads(str(root), Rules(), index, in_order).stream(listing, {}):
        assert listing.unread
    assert index.fingerprints() == listing.fingerprints
    return listing.fingerprints


def site(root: Path, rng: random.Random) -> list[Path]:
    folders = [root / "/".join(f"f{rng.randrange(4)}" for _ in range(rng.randint(1, 3))) for _ in range(12)]
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(rng.randrange(4)):
            (folder / f"{number}.md").write_text("---\ntitle: x\n---\n")
    return folders


def change(root: Path, folders: list[Path], rng: random.Random, outside: Path) -> None:
    folder = rng.choice([one for one in folders if one.is_dir() and not one.is_symlink()] or [root])
    what = rng.randrange(6)
    if what == 0:
        shutil.rmtree(folder, ignore_errors=True)
    elif what == 1:
        (folder / "new.md").write_text("new")
    elif what == 2:
        (folder / "deep" / "er").mkdir(parents=True, exist_ok=True)
        (folder / "deep" / "er" / "a.md").write_text("deep")
    elif what == 3 and folder != root:
        shutil.rmtree(folder)
        os.symlink(outside, folder)
    elif what == 4 and folder != root:
        shutil.rmtree(folder)
        folder.write_text("a file where a folder was")
    else:
        for file in folder.glob("*.md"):
            file.unlink()


@pytest.mark.parametrize("seed", range(25))
def test_parallel_scan_equals_serial_scan(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    root, outside = tmp_path / "articles", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (outside / "not-ours.md").write_text("not ours")
    folders = site(root, rng)
    fingerprints = first(root)
    for _ in range(rng.randint(0, 5)):
        change(root, folders, rng, outside)
    alone = listed(root, fingerprints, in_order, many=False)
    engine = Pool(2, patience=0)
    try:
        for mapper in (in_order, engine):
            together = listed(root, fingerprints, mapper, many=True)
            assert together.fingerprints == alone.fingerprints
            assert list(together.fingerprints) == list(alone.fingerprints)
            assert list(together.changed) == list(alone.changed)
            assert together.problems == alone.problems
    finally:
        engine.close()


def test_first_build_fingerprints_match_a_scan(tmp_path: Path) -> None:
    root = tmp_path / "articles"
    for number in range(300):
        path = root / f"f{number % 3}" / f"{number}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"---\ndate: 2022-12-25\n---\n{number}")
    os.symlink(root / "f0" / "0.md", root / "f1" / "a link.md")
    os.symlink(root / "gone.md", root / "f1" / "a broken link.md")
    (root / "f2" / "2.md").chmod(0)
    fingerprints = first(root)
    assert len(fingerprints) == 3
    again = listed(root, fingerprints, in_order, many=False)
    assert (again.fingerprints, list(again.changed)) == (fingerprints, [])


def test_recent_changes_are_not_trusted() -> None:
    now = time.time_ns() // 1_000_000_000 * 1_000_000_000 + 1
    assert is_racy(now - 10_000_000, now)
    assert not is_racy(now - 50_000_000, now)
    assert is_racy(now + 1_000_000, now), "changed since the build began"
    hour = 3_600_000_000_000
    assert is_racy(now - hour, now - 2 * hour), "changed during a long build"
    assert not is_racy(now + hour, now), "dated by a wrong clock"


@pytest.mark.parametrize("count", [0, 1, 5, 300])
def test_prefixes_are_equal_from_cache_and_disk(tmp_path: Path, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"文{number}.md" for number in range(count)] + ["gone.md", "folder.md", "pipe.md", "link.md", "empty.md"]
    for name in names[:count]:
        (tmp_path / name).write_text(name * 1000)
    (tmp_path / "folder.md").mkdir()
    os.mkfifo(tmp_path / "pipe.md")
    (tmp_path / "link.md").symlink_to("gone.md")
    (tmp_path / "empty.md").touch()
    place = f"{tmp_path}/"
    results = []
    for cold in (False, True):
        for folder, paths in ((place, names), ("", [place + name for name in names])):
            pace = prefixes._DiskSpeed()
            pace.is_cold = cold
            monkeypatch.setattr(prefixes, "_speed", pace)
            signatures: list[storage.Signature] = []
            data = list(storage.read_prefixes(paths, 100, signatures, folder=folder))
            results.append(([one.errno if isinstance(one, OSError) else one for one in data], signatures))
    assert len(results[0][0]) == len(results[0][1]) == len(names)
    assert results[0][1][count] == storage.NO_SIGNATURE
    assert all(one == results[0] for one in results[1:])


@pytest.mark.skipif(not hasattr(os, "posix_fadvise"), reason="this platform has no posix_fadvise")
@pytest.mark.parametrize(("seconds", "is_advised"), [(0.00002, False), (0.0005, True)])
def test_slow_disk_gets_read_ahead_hints(
    tmp_path: Path, seconds: float, is_advised: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"{number}.md" for number in range(400)]
    for name in names:
        (tmp_path / name).write_text(name)
    hints: list[int] = []
    clock = itertools.count()
    monkeypatch.setattr(prefixes, "perf_counter", lambda: next(clock) * seconds)
    monkeypatch.setattr(prefixes, "_speed", prefixes._DiskSpeed())
    monkeypatch.setattr(prefixes, "_ADVISE", lambda *_: hints.append(1))
    assert list(storage.read_prefixes(names, 100, folder=f"{tmp_path}/")) == [name.encode() for name in names]
    assert (len(hints) > 200) == is_advised
    assert len(hints) < 400
