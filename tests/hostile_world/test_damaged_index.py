"""Test that damaged derived files are rebuilt with a warning, and that articles, output and state keep every byte."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from tests.hostile_world.child import child
from tests.hostile_world.crashes import Life, Step, assert_same, building, ingesting, new_site
from tests.hostile_world.guarded_site import site_files
from tests.reliability.results import trials

Tally = Callable[[int], None]
Damage = Callable[[Path, random.Random], None]


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Step]:
    place = tmp_path_factory.mktemp("damage")
    life, site = Life(7), new_site(place / "site")
    for _ in range(2):
        life.go_on()
        life.write(site)
        for make in (ingesting, building):
            assert child(partial(make(life), site)).code == 0
    original = place / "derived"
    shutil.copytree(site / ".feedtool", original)
    found = {}
    for name, work in (("ingest", ingesting(life)), ("index", building(life))):
        found[name] = Step(name, original, work, site_files(site), site_files(site))
        assert child(partial(work, site)).code == 0
        assert_same(site_files(site), found[name].new)
    return {
        name: Step(name, original, step.work, {"site": str(site).encode()}, step.new) for name, step in found.items()
    }


def flips(path: Path, chance: random.Random) -> None:
    """Flip some random bits."""
    data = bytearray(path.read_bytes())
    for _ in range(chance.choice((1, 1, 3, 50))):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    path.write_bytes(data)


def text_flips(path: Path, chance: random.Random) -> None:
    """Flip a bit of a value, which SQLite cannot detect."""
    data = bytearray(path.read_bytes())
    at = data.find(chance.choice((b"a", b"Story", b"wire.example", b"own/", b"Wire", b"\xe4")))
    data[max(at, 0) + chance.randrange(2)] ^= 2
    path.write_bytes(data)


def noise(path: Path, chance: random.Random) -> None:
    """Overwrite a range with noise or with zeros, as a disk may."""
    data = bytearray(path.read_bytes())
    start, size = chance.randrange(len(data)), chance.choice((16, 512, 4096, 16384))
    data[start : start + size] = bytes(size) if chance.random() < 0.5 else chance.randbytes(size)
    path.write_bytes(data)


def cut(path: Path, chance: random.Random) -> None:
    """Cut off the end."""
    os.truncate(path, chance.randrange(path.stat().st_size))


RANDOM: tuple[Damage, ...] = (flips, flips, text_flips, noise, cut)


@pytest.mark.slow
@pytest.mark.fault_class("crash.damage")
@pytest.mark.parametrize("name", ["index", "ingest"])
def test_random_damage_changes_no_output(tried: dict[str, Step], name: str, tally: Tally) -> None:
    count = trials(15, 300)
    warnings = 0
    for seed in range(count):
        chance = random.Random(seed)
        site, path = restored(tried[name], name)
        chance.choice(RANDOM)(path, chance)
        if seed % 3 == 0:
            for other in site.glob(".feedtool/*.sum"):
                other.unlink()
        warnings += run_on(tried[name], site)
    assert warnings >= count // 10
    tally(count)


def older(path: Path) -> None:
    with sqlite3.connect(path) as opened:
        opened.execute("PRAGMA user_version=1")


def foreign(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as opened:
        opened.execute("CREATE TABLE folders (a, b)")
        opened.execute("CREATE TABLE articles (a TEXT)")
        opened.execute("INSERT INTO articles VALUES ('x')")


def folder(path: Path) -> None:
    path.unlink()
    (path / "x").mkdir(parents=True)


def numbers(path: Path, tables: str = "%") -> None:
    """Replace every value by a number, as a flipped bit in the type of a value does."""
    with closing(sqlite3.connect(path, isolation_level=None)) as opened:
        for (table,) in opened.execute(
            "SELECT name FROM sqlite_master WHERE name LIKE ? AND type='table'", (tables,)
        ).fetchall():
            for column in opened.execute(f"PRAGMA table_info({table})").fetchall():
                opened.execute(f"UPDATE OR IGNORE {table} SET {column[1]}=5")


DECISIVE: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "one byte": lambda path: path.write_bytes(b"S"),
    "a text": lambda path: path.write_text("hello\n" * 1000),
    "the header alone": lambda path: path.write_bytes(path.read_bytes()[:100]),
    "half": lambda path: os.truncate(path, path.stat().st_size // 2),
    "an older version": older,
    "another database": foreign,
    "a folder": folder,
    "numbers": numbers,
    "numbers for folders": partial(numbers, tables="folders"),
    "zeros": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "noise": lambda path: path.write_bytes(os.urandom(20_000)),
}


@pytest.mark.fault_class("crash.damage")
@pytest.mark.parametrize("name", ["index", "ingest"])
@pytest.mark.parametrize("kind", DECISIVE)
def test_invalid_index_is_rebuilt_with_a_warning(tried: dict[str, Step], kind: str, name: str) -> None:
    site, path = restored(tried[name], name)
    DECISIVE[kind](path)
    assert run_on(tried[name], site)


@pytest.mark.fault_class("crash.damage")
@pytest.mark.parametrize("ending", ["-wal", "-shm", "-journal", "-new", ".sum"])
@pytest.mark.parametrize("name", ["index", "ingest"])
def test_files_beside_the_index_do_no_harm(tried: dict[str, Step], name: str, ending: str) -> None:
    for content in (b"", os.urandom(40_000)):
        site, path = restored(tried[name], name)
        Path(f"{path}{ending}").write_bytes(content)
        run_on(tried[name], site)


def restored(step: Step, name: str) -> tuple[Path, Path]:
    """Restore the derived files; return the site and the file to be damaged."""
    site = Path(step.old["site"].decode())
    shutil.rmtree(site / ".feedtool")
    shutil.copytree(step.template, site / ".feedtool")
    return site, site / ".feedtool" / name


def run_on(step: Step, site: Path) -> bool:
    """Run a command, assert that all files are the same, and return True if it reported a rebuilt index."""
    result = child(lambda: step.work(site))
    assert result.code == 0, result.output
    assert_same(site_files(site), step.new)
    return "made anew" in result.output
