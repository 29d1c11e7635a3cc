"""Test that results hold as long as all of their inputs are the same, and that unchanged inputs are not read."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path

import pytest

from feedtool import storage
from feedtool.inputs import FILE, FOLDER, Files, Inputs, are_proven, current
from tests.support.builds import built
from tests.support.site import make_site, tree, write

POST = "---\ntitle: {}\ndate: 2024-03-05 10:00:00\n---\nText of {}.\n"


class Disk:
    """Files in memory: by path their bytes, None for none, and a signature; `reads` are the paths that were read."""

    def __init__(self, **files: tuple[bytes | None, tuple[int, ...] | None]) -> None:
        self.files = files
        self.reads: list[str] = []

    def read(self, path: str) -> bytes | None:
        self.reads.append(path)
        return self.files[path][0]

    def access(self) -> Files:
        return Files(self.read, lambda path: self.files[path][1])


@pytest.mark.parametrize(
    ("data", "signature", "reads", "holds"),
    [
        (b"1", (1,), [], True),
        (b"1", (2,), ["a"], True),
        (b"2", (2,), ["a"], False),
        (b"1", None, ["a"], True),
        (b"2", None, ["a"], False),
        (None, (), ["a"], False),
    ],
)
def test_file_is_read_only_if_its_signature_changed(
    data: bytes | None, signature: tuple[int, ...] | None, reads: list[str], holds: bool
) -> None:
    inputs = Inputs(Disk(a=(b"1", (1,))).access())
    assert inputs.read("a") == b"1"
    disk = Disk(a=(data, signature))
    rows = current(inputs.rows(), disk.access(), {})
    assert (disk.reads, rows is not None) == (reads, holds)
    if rows is not None:
        assert (rows[0][3], are_proven(rows)) == (signature, signature is not None)


def test_file_that_did_not_exist_is_an_input() -> None:
    inputs = Inputs(Disk(a=(None, ())).access())
    assert inputs.read("a") is None
    assert current(inputs.rows(), Disk(a=(None, ())).access(), {}) == inputs.rows()
    assert current(inputs.rows(), Disk(a=(b"", (1,))).access(), {}) is None


def test_values_of_folders_are_inputs() -> None:
    inputs = Inputs(Disk().access())
    inputs.note(FOLDER, "a/", b"x")
    assert current(inputs.rows(), Disk().access(), {(FOLDER, "a/"): b"x"}) == inputs.rows()
    for digests in ({}, {(FOLDER, "a/"): b"y"}, {(FILE, "a/"): b"x"}):
        assert current(inputs.rows(), Disk().access(), digests) is None


def test_unreadable_file_is_no_proof() -> None:
    inputs = Inputs(Disk(a=(b"1", (1,))).access())
    inputs.read("a")

    def refuse(path: str) -> bytes:
        raise PermissionError(path)

    assert current(inputs.rows(), Files(refuse, lambda _: (2,)), {}) is None


# The law: whatever happens to an input, the next build gives the output of a build from nothing.

CASCADE = "---\ntitle: S\ncascade:\n  {}\n---\n"
SITES = {
    "hugo": ("content/posts", "hugo.toml", 'baseURL = "https://example.org/"\n'),
    "jekyll": ("_posts", "_config.yml", "title: T\n"),
    "hexo": ("source/_posts", "_config.yml", "title: T\n"),
    "pelican": ("content", "pelicanconf.py", "SITENAME = 'T'\n"),
    "plain": ("articles", "unread.toml", ""),
}
EVERYWHERE = (
    ("templates/page.html", "<p>one</p>", "<p>two</p>"),
    ("templates/style.css", "p { color: red }", "p { color: blue }"),
    ("feedtool.toml", "[feeds]\nlimit = 1\n", "[feeds]\nlimit = 2\n"),
)
INPUTS = {
    "hugo": (
        ("hugo.toml", '[cascade]\nauthor = "Kim"\n', 'ignoreFiles = ["s/"]\n'),
        ("config/_default/cascade.toml", 'author = "Kim"\n', 'author = "Robin"\n'),
        ("content/_index.md", CASCADE.format("author: Kim"), CASCADE.format("draft: true")),
        ("content/posts/_index.md", CASCADE.format("author: Kim"), "---\ntitle: S\n---\n"),
        ("content/posts/s/_index.md", CASCADE.format("tags: [one]"), CASCADE.format("tags: [two]")),
        ("content/posts/s/t/_index.md", "---\ndraft: true\n---\n", CASCADE.format("author: Sam")),
    ),
    "jekyll": (
        (
            "_config.yml",
            "defaults:\n- scope: {path: ''}\n  values: {author: Kim}\n",
            "defaults:\n- scope: {path: ''}\n  values: {published: false}\n",
        ),
    ),
    "hexo": (("_config.yml", "timezone: Asia/Shanghai\n", "permalink: :title/\n"),),
    "pelican": (("pelicanconf.py", "AUTHOR = 'Kim'\n", "AUTHOR = 'Robin'\nTIMEZONE = 'UTC'\n"),),
    "plain": (),
}
CHANGES = [(name, *one) for name in SITES for one in (*EVERYWHERE, *INPUTS[name])]


def site_of(folder: Path, name: str) -> Path:
    articles, settings, text = SITES[name]
    lines = f'[articles]\nflavour = "{name}"\npath = "{articles}"\n[feeds]\ntombstone_days = 0\n'
    site = make_site(folder / "site", {}, lines)
    write(site / settings, text)
    for file in ("2024-03-05-a", "s/2024-03-05-b", "s/t/2024-03-05-c"):
        post = POST.format(file, file)
        write(site / articles / f"{file}.md", post[4:].replace("---", "", 1) if name == "pelican" else post)
    return site


def assert_as_from_nothing(site: Path) -> None:
    built(site)
    fresh = site.parent / "fresh"
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(site, fresh, ignore=shutil.ignore_patterns(".feedtool", "public"))
    built(fresh)
    assert tree(site / "public") == tree(fresh / "public")
    assert built(site).written == 0


@pytest.mark.parametrize("wait", [0, 0.05], ids=["at once", "later"])
@pytest.mark.parametrize(("name", "path", "first", "second"), CHANGES)
def test_changed_input_gives_the_output_of_a_new_build(
    tmp_path: Path, name: str, path: str, first: str, second: str, wait: float
) -> None:
    site = site_of(tmp_path, name)
    if path == "feedtool.toml":
        before = (site / path).read_text("utf-8").partition("[feeds]")[0]
        first, second = before + first, before + second
    kept = (site / path).read_bytes() if (site / path).exists() else None
    built(site)
    # Create or edit, edit, set back the mtime, delete, create again.
    for text in (first, second, first, None, second):
        time.sleep(wait)
        if text is not None:
            write(site / path, text)
            os.utime(site / path, (1, 1))
        elif kept is None:
            (site / path).unlink()
        else:
            write(site / path, kept)
        assert_as_from_nothing(site)


@pytest.mark.parametrize("name", [name for name in INPUTS if INPUTS[name]])
def test_build_without_changes_reads_no_input(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    site = site_of(tmp_path, name)
    for path, text, _ in INPUTS[name]:
        write(site / path, text)
    built(site)
    time.sleep(0.05)
    # Now the stat data of all inputs prove that they are unchanged.
    built(site)
    read: list[str] = []
    real = storage.read

    def recording(path: str, *more: int) -> bytes:
        read.append(path)
        return real(path, *more)

    for module in (storage, storage.reading):
        monkeypatch.setattr(module, "read", recording)
    assert built(site).written == 0
    inputs = {os.path.realpath(site / path) for path, *_ in INPUTS[name]}
    assert read
    assert inputs.isdisjoint(map(os.path.realpath, read))


def test_same_content_keeps_the_values_of_a_section(tmp_path: Path) -> None:
    site = site_of(tmp_path, "hugo")
    write(site / "content/posts/s/_index.md", CASCADE.format("tags: [one]"))
    built(site)
    time.sleep(0.05)
    os.utime(site / "content/posts/s/_index.md")
    assert built(site).written == 0
    items = json.loads((site / "public/feed.json").read_bytes())["items"]
    assert {item["title"]: item.get("tags") for item in items}["s/2024-03-05-b"] == ["one"]
