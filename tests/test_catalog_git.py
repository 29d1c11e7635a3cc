"""Test that feedtool detects tracked folders in every form of git's index, with git itself as the reference."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from feedtool.catalog.git import is_tracked
from tests.support.site import write

MANY = [f"articles/{number:04}-{'x' * (number % 60)}.md" for number in range(300)]
PLACES = {
    "nothing": [],
    "an index": [".feedtool/index"],
    "what is deep in it": [".feedtool/preview/public/a.html"],
    "names like it": [".feedtool-old/index", ".feedtoo/index", ".feedtool2", "other/.feedtool/index", "x.feedtool/y"],
    "one among names like it": [".feedtool-old/index", ".feedtool/index", ".feedtool2"],
    "a file in its place": [".feedtool"],
}
FORMS: dict[str, tuple[list[str], list[list[str]]]] = {
    "version 2": ([], [["update-index", "--index-version", "2"]]),
    "version 3": ([], [["update-index", "--index-version", "3"], ["update-index", "--skip-worktree", "--", MANY[0]]]),
    "version 4": ([], [["update-index", "--index-version", "4"]]),
    "a split index": ([], [["update-index", "--split-index"]]),
    "SHA-256": (["--object-format=sha256"], []),
    "SHA-256, version 4": (["--object-format=sha256"], [["update-index", "--index-version", "4"]]),
}


def git(place: Path, *words: str) -> str:
    """Run git in a folder and return its output."""
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "protocol.file.allow=always")
    return subprocess.run(["git", *identity, *words], cwd=place, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("site", [".", "blog/site"])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("tracked", PLACES)
def test_tracked_folder_is_found_in_every_index(tmp_path: Path, tracked: str, form: str, site: str) -> None:
    options, commands = FORMS[form]
    git(tmp_path, "init", "-q", *options)
    for name in (*MANY, *PLACES[tracked]):
        write(tmp_path / site / name, "x")
    write(tmp_path / MANY[0], "x")
    git(tmp_path, "add", "-f", "-A")
    for command in commands:
        git(tmp_path, *command)
    folder = tmp_path / site / ".feedtool"
    expected = bool(git(tmp_path, "ls-files", "--", str(folder)))
    assert expected == (tracked not in ("nothing", "names like it"))
    assert is_tracked(str(folder)) == expected
    git(tmp_path, "rm", "-r", "-q", "--cached", "--ignore-unmatch", str(folder))
    assert not is_tracked(str(folder)) or form == "a split index"


def repository(folder: Path) -> Path:
    """Return a repository with one commit that contains the file `.feedtool/index`."""
    write(folder / ".feedtool/index", "x")
    git(folder, "init", "-q")
    git(folder, "add", "-f", "-A")
    git(folder, "commit", "-q", "-m", "x")
    return folder


def submodule(place: Path) -> Path:
    git(repository(place / "outer"), "submodule", "--quiet", "add", str(repository(place / "inner")), "site")
    return place / "outer/site/.feedtool"


def submodule_in_its_place(place: Path) -> Path:
    outer = repository(place / "outer")
    git(outer, "rm", "-r", "-q", ".feedtool")
    git(outer, "submodule", "--quiet", "add", "-f", str(repository(place / "inner")), ".feedtool")
    return outer / ".feedtool"


def worktree(place: Path) -> Path:
    git(repository(place / "main"), "worktree", "add", "-q", str(place / "other"))
    return place / "other/.feedtool"


def link(place: Path) -> Path:
    repository(place / "main")
    (place / "site").symlink_to("main")
    return place / "site/.feedtool"


def link_in_its_place(place: Path) -> Path:
    git(place, "init", "-q")
    (place / ".feedtool").symlink_to("elsewhere")
    git(place, "add", "-f", ".feedtool")
    return place / ".feedtool"


@pytest.mark.parametrize("make", [submodule, submodule_in_its_place, worktree, link, link_in_its_place])
def test_every_kind_of_repository_is_found(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    assert is_tracked(str(make(tmp_path)))


def test_non_repository_tracks_nothing(tmp_path: Path) -> None:
    folder = str(tmp_path / ".feedtool")
    assert not is_tracked(folder)
    for content in (b"", b"gitdir: nowhere\n", b"gitdir: \n", b"\xff" * 5000, b"gitdir: .\0\n"):
        write(tmp_path / ".git", content)
        assert not is_tracked(folder)


def test_damaged_git_index_does_not_crash(tmp_path: Path) -> None:
    folder = str(repository(tmp_path) / ".feedtool")
    index = tmp_path / ".git/index"
    data = index.read_bytes()
    for size in range(len(data)):
        index.write_bytes(data[:size])
        is_tracked(folder)
    for version in (2, 3, 4, 5, 255):
        index.write_bytes(data[:7] + bytes([version]) + b"\xff" * 4 + data[12:])
        is_tracked(folder)
    os.unlink(index)
    assert not is_tracked(folder)
