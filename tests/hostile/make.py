"""Write hostile articles that a repository cannot contain: huge files, and names that only some file systems accept.

`make` returns the expected outcome of each file: published, published-with-warning, left-out, hidden or ignored, with the
problem code and the line. Paths are relative to the articles folder.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

DATE = "2022-07-25T20:11:30+08:00"


class Expected(NamedTuple):
    """The expected outcome of a file. `code` and `line` are "-" if no problem is expected."""

    outcome: str
    code: str = "-"
    line: str = "-"


PUBLISHED = Expected("published")
IGNORED = Expected("ignored")


def make(articles: Path) -> dict[str, Expected]:
    """Write the files below `articles` and return their outcomes, without those that the file system refuses."""
    expected = {}
    for path, data, outcome in [*huge_files(), *unusual_names()]:
        target = os.path.join(os.fsencode(articles), path)
        try:
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, "wb") as file:
                file.write(data)
        except OSError:
            continue
        expected[os.fsdecode(path)] = outcome
    for name, (create, outcome) in SPECIAL.items():
        target_path = articles / "special" / name
        target_path.parent.mkdir(exist_ok=True)
        try:
            create(target_path)
        except OSError:
            continue
        expected[f"special/{name}"] = outcome
    return expected


def article(title: str, body: bytes, *, front: bytes = b"") -> bytes:
    """Return an article with valid front matter and the body."""
    return b"---\ntitle: " + title.encode() + b"\ndate: " + DATE.encode() + b"\n" + front + b"---\n" + body


def huge_files() -> Iterator[tuple[bytes, bytes, Expected]]:
    """Yield files that are slow to process, deeply nested or large."""
    text = Expected("published-with-warning", "FT015", "5")
    bodies: dict[str, tuple[bytes, Expected]] = {
        "nested-divs": (b"<div>" * 100_000 + b"x", text),
        "nested-lists": (b"<ul><li>" * 20_000 + b"x", text),
        "nested-tables": (b"<table><tr><td>" * 10_000 + b"x", text),
        "nested-formatting": (b"".join(b"<p><b a=%d>" % n for n in range(10_000)), text),
        "nested-spans-closed": (b"<span>" * 30_000 + b"x" + b"</span>" * 30_000, text),
        "attributes": (b"<p " + b" ".join(b"a%d" % n for n in range(100_000)) + b">x</p>", text),
        "body-20mb": (b"<p>Large.</p>\n" * 1_500_000, text),
        "one-line-2mb": ("长".encode() * 700_000, text),
        "one-word-900kb": ("长".encode() * 300_000, PUBLISHED),
        "less-than": (b"<p>x" + b"<" * 500_000, text),
        "half-tags": (b"<p>" + b"<a " * 100_000, text),
        "half-tags-in-markdown": (b"<a " * 100_000, PUBLISHED),
        "open-comments": (b"<p>x</p>" + b"<!--" * 100_000, PUBLISHED),
        "references": (b"<p>" + b"&amp;&#1;&bogus;" * 40_000, PUBLISHED),
        "links": (b"".join(b'<a href="/%d">x</a>' % n for n in range(19_999)), PUBLISHED),
        "one-link": (b'<p><a href="https://example.org/' + b"x" * 500_000 + b'">x</a></p>', PUBLISHED),
        "srcset": (b"<img srcset=\"" + b", ".join(b"%d.png %dw" % (n, n) for n in range(20_000)) + b"\">", text),
        "markdown-brackets": (b"[" * 100_000, PUBLISHED),
        "markdown-pictures": (b"![a](" * 50_000, PUBLISHED),
        "markdown-emphasis": (b"*a **b _c " * 30_000, PUBLISHED),
        "markdown-backticks": (b"".join(b"`" * n + b" " for n in range(1_000)), PUBLISHED),
        "markdown-quotes": (b">" * 100_000 + b" x", text),
        "markdown-lists": (b"".join(b" " * (n % 900) + b"- x\n" for n in range(5_000)), text),
    }
    for name, (body, outcome) in bodies.items():
        yield f"huge/huge-{name}.md".encode(), article(f"Huge {name}", body), outcome
    levels = b"".join(b"l%d: &l%d [%s]\n" % (n, n, b", ".join([b"*l%d" % (n - 1)] * 9)) for n in range(1, 10))
    deep = Expected("left-out", "FT009", "4")
    fronts = {
        "title-1mb": (b"summary: " + "长".encode() * 350_000 + b"\n", Expected("left-out", "FT009", "2")),
        "alias-bomb": (b"l0: &l0 [lol, lol]\n" + levels + b"tags: *l9\n", Expected("left-out", "FT009", "5")),
        "yaml-deep-flow": (b"x: " + b"[" * 30_000 + b"\n", deep),
        "yaml-deep-map": (b"x: " + b"{a: " * 15_000 + b"\n", deep),
        "yaml-deep-closed": (b"x: " + b"[" * 20_000 + b"]" * 20_000 + b"\n", deep),
        "yaml-many-keys": (b"".join(b"k%d: v\n" % n for n in range(6_000)), PUBLISHED),
        "categories-5000": (
            b"categories: [" + b", ".join(b"c%d" % n for n in range(5_000)) + b"]\n",
            Expected("published-with-warning", "FT018", "4"),
        ),
    }
    for name, (lines, outcome) in fronts.items():
        yield f"huge/{name}.md".encode(), article(f"Huge {name}", b"<p>x</p>\n", front=lines), outcome
    yield from _without_yaml_or_body()


def _without_yaml_or_body() -> Iterator[tuple[bytes, bytes, Expected]]:
    """Yield files without a body, or with front matter in JSON or TOML."""
    unclosed = Expected("left-out", "FT005", "1")
    deep = Expected("left-out", "FT009", "2")
    toml = b"+++\ntitle = 'x'\n"
    yield b"huge/unclosed-10mb.md", b"---\ntitle: Huge\n" + b"k: v\n" * 2_000_000, unclosed
    yield b"huge/blank-lines-1mb.md", b"\n" * 1_000_000, Expected("left-out", "FT002", "1")
    yield b"huge/no-newline-5mb.md", b"x" * 5_000_000, Expected("left-out", "FT010", "1")
    yield b"huge/json-deep.md", b'{"title": "x", "y": ' + b"[" * 30_000 + b"\n\n<p>x</p>", unclosed
    yield b"huge/json-number.md", b'{"title": "x", "date": ' + b"9" * 5_000 + b"}\n\n<p>x</p>", Expected("left-out", "FT011", "1")
    closed = b'{"title": "x", "y": ' + b"[" * 900 + b"]" * 900 + b"}\n\n<p>x</p>"
    yield b"huge/json-deep-closed.md", closed, Expected("left-out", "FT009", "1")
    yield b"huge/toml-deep.md", toml + b"y = " + b"[" * 30_000 + b"\n+++\n<p>x</p>", deep
    yield b"huge/toml-keys.md", toml + b".".join([b"a"] * 20_000) + b" = 1\n+++\n<p>x</p>", deep
    number = toml + b"date = " + b"9" * 5_000 + b"\n+++\n<p>x</p>"
    yield b"huge/toml-number.md", number, Expected("left-out", "FT006", "2")


def unusual_names() -> Iterator[tuple[bytes, bytes, Expected]]:
    """Yield valid articles with names that break scripts."""
    names = [
        b'a "quoted" name', b"back\\slash", b"new\nline", b"tab\there", b"colon: name", b"<b>&amp;",
        b"pipe|star*question?",
        b"-rf", b"--help", b"a..", b"CON", b"\x01control\x7f", b"x" * 245, "\u202egnp.elif".encode(),
        b"\xff\xfe-not-utf-8",
        b"gb-\xd0\xc2\xce\xc5", "\ufffe".encode(), b" ", b"$(touch was-run)", b"%00", b"a;b", b"'",
    ]  # fmt: skip
    for number, name in enumerate(names):
        yield b"named/" + name + b".md", article(f"Named {number}", b"<p>x</p>\n"), PUBLISHED
    folders = [b"\xd0\xc2\xce\xc5", b"line\nbreak", b"CON", b" ", "\ufffe\U0001f389".encode(), b"f" * 250]
    for number, folder in enumerate(folders):
        yield b"folders/" + folder + b"/a%d.md" % number, article(f"In folder {number}", b"<p>x</p>\n"), PUBLISHED


def _outside(path: Path) -> None:
    secret = path.parents[3] / "secret.md"
    secret.write_bytes(article("Secret of the neighbour", b"<p>secret</p>\n"))
    path.symlink_to(secret)


def _outside_folder(path: Path) -> None:
    folder = path.parents[3] / "neighbour"
    folder.mkdir()
    (folder / "secret-too.md").write_bytes(article("Secret of the neighbour, too", b"<p>secret</p>\n"))
    path.symlink_to(folder, target_is_directory=True)


def _unreadable(path: Path) -> None:
    path.write_bytes(article("Unreadable", b"<p>x</p>\n"))
    path.chmod(0)
    if os.access(path, os.R_OK):
        path.unlink()
        raise PermissionError("the superuser reads everything")


def _socket(path: Path) -> None:
    # The path of a socket can have about 100 bytes, so bind it with a short relative path.
    before = os.getcwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path.name)
    finally:
        os.chdir(before)


LEFT_OUT = Expected("left-out", "FT001")
NOT_FOLLOWED = Expected("left-out", "FT022")
SPECIAL: dict[str, tuple[Callable[[Path], None], Expected]] = {
    "folder.md": (lambda path: path.mkdir(), IGNORED),
    "outside.md": (_outside, NOT_FOLLOWED),
    "outside-folder": (_outside_folder, IGNORED),
    "loop": (lambda path: path.symlink_to("."), IGNORED),
    "self.md": (lambda path: path.symlink_to("self.md"), LEFT_OUT),
    "dangling.md": (lambda path: path.symlink_to("nowhere.md"), LEFT_OUT),
    "device.md": (lambda path: path.symlink_to("/dev/zero"), NOT_FOLLOWED),
    "fifo.md": (lambda path: os.mkfifo(path), LEFT_OUT),
    "socket.md": (_socket, LEFT_OUT),
    "unreadable.md": (_unreadable, LEFT_OUT),
}
