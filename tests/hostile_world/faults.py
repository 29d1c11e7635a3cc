"""A table of file system faults: their setup, the command that meets them, and its expected end."""

from __future__ import annotations

import os
import resource
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tests.hostile_world.child import Setup, at_most, full_disk, nobody, read_only
from tests.hostile_world.guarded_site import GuardedSite, bind
from tests.support.site import article, write

Arrange = Callable[[GuardedSite], None]
BUILD = ("build", "--jobs", "1")
INGEST = ("ingest", "{outside}/feed.xml", "--name", "Wire")
NEW = ("new", "Something")
FIX = ("check", "--fix")


class Fault(NamedTuple):
    """One fault.

    `arrange` sets it up, `setups` make the environment of the child, `code` is the exit code of the command, and `word`
    is a part of its output. After a fault with `converges`, the next build must make what a build without the fault
    makes.
    """

    kind: str
    name: str
    arrange: Arrange
    code: int
    word: str = ""
    command: tuple[str, ...] = BUILD
    setups: Callable[[GuardedSite], list[Setup]] = lambda _: []
    converges: bool = True
    """True if the next build, without the fault, must make the same files as a build that never met it."""

    @property
    def codes(self) -> tuple[int, ...]:
        """Return the allowed exit codes."""
        return (self.code, 0) if self.name.endswith("as it is written") else (self.code,)


def link(path: str, target: str) -> Arrange:
    """Replace a path of the site by a symbolic link; "{place}" in the target is the parent folder of the site."""

    def arrange(guarded: GuardedSite) -> None:
        gone(path)(guarded)
        (guarded.site / path).parent.mkdir(parents=True, exist_ok=True)
        (guarded.site / path).symlink_to(target.replace("{place}", str(guarded.place)))

    return arrange


def gone(path: str) -> Arrange:
    """Remove a path of the site."""

    def arrange(guarded: GuardedSite) -> None:
        path_to_remove = guarded.site / path
        if path_to_remove.is_dir() and not path_to_remove.is_symlink():
            shutil.rmtree(path_to_remove)
        elif path_to_remove.is_symlink() or path_to_remove.exists():
            path_to_remove.unlink()

    return arrange


def put(path: str, make: Callable[[Path], object]) -> Arrange:
    """Replace a path of the site by a file that `make` creates."""

    def arrange(guarded: GuardedSite) -> None:
        gone(path)(guarded)
        (guarded.site / path).parent.mkdir(parents=True, exist_ok=True)
        make(guarded.site / path)

    return arrange


def device(path: Path) -> None:
    """Make an endless device if allowed; else a FIFO."""
    if os.geteuid():
        os.mkfifo(path)
    else:
        os.mknod(path, 0o644 | 0o020000, os.makedev(1, 5))


def full_folder(path: Path) -> None:
    """Make a folder with a file in it."""
    write(path / "kept.txt", "kept")


def sparse(path: Path) -> None:
    """Make a sparse file of 8 GB."""
    path.write_text(article("Huge"))
    os.truncate(path, 8 << 30)


def hard(path: str, target: str) -> Arrange:
    """Hard-link a file outside the site at a path of the site."""

    def arrange(guarded: GuardedSite) -> None:
        gone(path)(guarded)
        os.link(guarded.outside / target, guarded.site / path)

    return arrange


def mode(path: str, bits: int) -> Arrange:
    """Set the permissions of a path of the site."""
    return lambda guarded: (guarded.site / path).chmod(bits)


def both(*some: Arrange) -> Arrange:
    """Set up several faults."""

    def arrange(guarded: GuardedSite) -> None:
        for one in some:
            one(guarded)

    return arrange


def nothing(guarded: GuardedSite) -> None:
    """Set up nothing: the fault is in the environment of the child."""


def as_nobody(_: GuardedSite) -> list[Setup]:
    """Return the environment of a user without special rights."""
    return [nobody]


def when_opened(path: str, act: Arrange) -> Callable[[GuardedSite], list[Setup]]:
    """Return an environment in which a file changes after its folder was listed, just before it is opened."""

    def setups(guarded: GuardedSite) -> list[Setup]:
        def setup() -> None:
            real, waiting = os.open, [True]

            def opening(name: str, *arguments: int, **named: int) -> int:
                if waiting and os.fspath(name) == f"{os.path.realpath(guarded.site)}/{path}":
                    waiting.clear()
                    act(guarded)
                return real(name, *arguments, **named)

            os.open = opening  # type: ignore[assignment]

        return [setup]

    return setups


def disk(free: int, part: str = "") -> Callable[[GuardedSite], list[Setup]]:
    """Return an environment in which the site, or a part of it, is on a disk with `free` bytes left."""
    return lambda guarded: [full_disk(guarded.site / part, free)]


def read_only_disk(part: str = "") -> Callable[[GuardedSite], list[Setup]]:
    """Return an environment in which the site, or a part of it, is on a read-only disk."""
    return lambda guarded: [read_only(guarded.site / part)]


def limit(which: int, count: int) -> Callable[[GuardedSite], list[Setup]]:
    """Return an environment with a limit of the system."""
    return lambda _: [at_most(which, count)]


D = "articles/deep"
OLD = "public/categories/old"
ONE = "public/categories/one"
FIFO = os.mkfifo
WIRE = "articles/Wire"

FAULTS: tuple[Fault, ...] = (
    Fault("links", "an article is a link out", link("articles/x.md", "{place}/outside/secret.md"), 0, "FT022"),
    Fault("links", "an article is a link to /etc/passwd", link("articles/x.md", "/etc/passwd"), 0, "FT022"),
    Fault("links", "a folder of articles is a link out", link("articles/x", "{place}/outside"), 0),
    Fault("links", "a folder called like an article is a link out", link("articles/x.md", "{place}/outside/deep"), 0, "FT022"),
    Fault("links", "an article is a link to nowhere", link("articles/x.md", "nowhere"), 1, "FT001"),
    Fault("links", "an article is a link to itself", link("articles/x.md", "x.md"), 1, "FT001"),
    Fault("links", "two links go round", both(link("articles/x.md", "y.md"), link("articles/y.md", "x.md")), 1, "FT001"),
    Fault("links", "a folder links to its parent", link(f"{D}/up", ".."), 0),
    Fault("links", "an article is a link to the output", link("articles/x.md", "../public/atom.xml"), 0, "FT022"),
    Fault("links", "a folder links to the output", link("articles/x", "../public"), 0),
    Fault("links", "an article is a link to an endless device", link("articles/x.md", "/dev/zero"), 0, "FT022"),
    Fault("links", "a file of the output became a link out", link("public/atom.xml", "{place}/outside/atom.xml"), 2, "link"),
    Fault("links", "a file of the output became a link to nowhere", link("public/atom.xml", "nowhere"), 2, "link"),
    Fault("links", "a file of the output became a link to another", link("public/atom.xml", "rss.xml"), 2, "link"),
    Fault("links", "a folder of the output became a link out", link("public/categories", "{place}/outside"), 2, "link"),
    Fault("links", "a category's folder became a link out", link(ONE, "{place}/outside"), 2, "link"),
    Fault("links", "a category's folder became a link to another", link(ONE, "two"), 2, "link"),
    Fault("links", "a category's folder became a link to nowhere", link(ONE, "nowhere"), 2, "link"),
    Fault("links", "a folder to be removed became a link out", link(OLD, "{place}/outside"), 2, "link"),
    Fault("links", "a file to be removed became a link out", link(f"{OLD}/atom.xml", "{place}/outside/atom.xml"), 0),
    Fault("links", "the folder of a new category is a link out", link("public/categories/new", "{place}/outside"), 2, "link"),
    Fault("links", "the manifest is a link out", link("public/.feedtool-manifest", "{place}/outside/index"), 2),
    Fault("links", "the output is a link out",
          both(gone("public"), link("public", "{place}/outside")), 2, "outside the site", converges=False),
    Fault("links", "the output is a link to nowhere in the site",
          both(gone("public"), link("public", "elsewhere")), 0, converges=False),
    Fault("links", "the output is a link to itself", both(gone("public"), link("public", "public")), 2, converges=False),
    Fault("links", "the output is a link to the articles",
          both(gone("public"), link("public", "articles")), 2, converges=False),
    Fault("links", "a temporary name is a link out", link("public/atom.xml.feedtool-new", "{place}/outside/atom.xml"), 0),
    Fault("links", "a temporary name is a hard link", hard("public/atom.xml.feedtool-new", "atom.xml"), 0),
    Fault("links", "an article is a hard link and is fixed",
          hard("articles/x.md", "secret.md"), 0, command=FIX, converges=False),
    Fault("links", ".feedtool is a link out", link(".feedtool", "{place}/outside"), 2, "link"),
    Fault("links", ".feedtool is a link to nowhere", link(".feedtool", "{place}/nowhere"), 2, "link"),
    Fault("links", "the lock is a link to an article", link(".feedtool/lock", "../articles/b.md"), 0),
    Fault("links", "the lock is a link out", link(".feedtool/lock", "{place}/outside/lock"), 0),
    Fault("links", "the index is a link out", link(".feedtool/index", "{place}/outside/index"), 0),
    Fault("links", "the index's log is a link out", link(".feedtool/index-wal", "{place}/outside/index"), 0),
    Fault("links", "the mark of a running build is a link out", link(".feedtool/running", "{place}/outside/index"), 0),
    Fault("links", ".feedtool/.gitignore is a link to nowhere", link(".feedtool/.gitignore", "{place}/outside/made"), 0),
    Fault("links", "what ingest knows is a link out",
          link(".feedtool/ingest", "{place}/outside/index"), 0, command=INGEST, converges=False),
    Fault("links", "the state is a link out",
          link("feedtool.state", "{place}/outside/feedtool.state"), 1, "link", INGEST, converges=False),
    Fault("links", "a source's folder is a link out", link(WIRE, "{place}/outside"), 1, "link", INGEST),
    Fault("links", "an editor's lock lies in the templates", link("templates/.#index.html", "ada@host.1:2"), 0),
    Fault("links", "a template is a link to nowhere", link("templates/index.html", "nowhere"), 2, "index.html"),
    Fault("kinds", "an article is a FIFO", put("articles/x.md", FIFO), 0, "FT001"),
    Fault("kinds", "an article is a socket", put("articles/x.md", bind), 0, "FT001"),
    Fault("kinds", "an article is an endless device", put("articles/x.md", device), 0, "FT001"),
    Fault("kinds", "an article is a folder", put("articles/x.md", full_folder), 0),
    Fault("kinds", "an article is of 8 GB", put("articles/x.md", sparse), 1, "FT"),
    Fault("kinds", "a template is a FIFO", put("templates/index.html", FIFO), 2, "index.html"),
    Fault("kinds", "a file of the output became a folder", put("public/atom.xml", full_folder), 2, "folder"),
    Fault("kinds", "a file to be removed became a folder", put(f"{OLD}/atom.xml", full_folder), 0, converges=False),
    Fault("kinds", "a file of the output became a FIFO", put("public/atom.xml", FIFO), 2, "atom.xml"),
    Fault("kinds", "a file of the output became a socket", put("public/atom.xml", bind), 2, "atom.xml"),
    Fault("kinds", "a folder of the output became a file",
          put("public/categories", lambda path: path.write_text("kept")), 2, "categories"),
    Fault("kinds", "the output is a file",
          put("public", lambda path: path.write_text("kept")), 2, "not a folder", converges=False),
    Fault("kinds", "the output is a FIFO", put("public", FIFO), 2, "not a folder", converges=False),
    Fault("kinds", "a temporary name is a FIFO", put("public/atom.xml.feedtool-new", FIFO), 0),
    Fault("kinds", "a temporary name is a folder", put("public/atom.xml.feedtool-new", full_folder), 2, "folder"),
    Fault("kinds", "the manifest is a folder", put("public/.feedtool-manifest", full_folder), 2),
    Fault("kinds", "the lock is a folder", put(".feedtool/lock", full_folder), 2, "lock"),
    Fault("kinds", "the lock is a FIFO", put(".feedtool/lock", FIFO), 0),
    Fault("kinds", "the index is a folder", put(".feedtool/index", full_folder), 0, "made anew"),
    Fault("kinds", "the index is a FIFO", put(".feedtool/index", FIFO), 0),
    Fault("kinds", "the mark of a running build is a FIFO", put(".feedtool/running", FIFO), 0),
    Fault("kinds", "the mark of a running build is a folder", put(".feedtool/running", full_folder), 2, "running"),
    Fault("kinds", "the seal of what ingest knows is a FIFO", put(".feedtool/ingest.sum", FIFO), 0, "", INGEST, converges=False),
    Fault("kinds", "what ingest knows is a folder",
          put(".feedtool/ingest", full_folder), 0, "made anew", INGEST, converges=False),
    Fault("kinds", ".feedtool is a file", put(".feedtool", lambda path: path.write_text("kept")), 2, ".feedtool"),
    Fault("kinds", "the state is a folder", put("feedtool.state", full_folder), 2, "feedtool.state", INGEST),
    Fault("kinds", "the state is a FIFO", put("feedtool.state", FIFO), 2, "feedtool.state", INGEST),
    Fault("kinds", "a source's folder is a file", put(WIRE, lambda path: path.write_text("kept")), 1, "FT307", INGEST),
    Fault("kinds", "the articles are a file",
          put("articles", lambda path: path.write_text("kept")), 2, "no such folder", converges=False),
    Fault("rights", "an article may not be read", mode("articles/b.md", 0), 1, "FT001", setups=as_nobody),
    Fault("rights", "a folder of articles may not be listed", mode(D, 0o311), 1, "FT001", setups=as_nobody),
    Fault("rights", "a folder of articles may not be entered", mode(D, 0o644), 1, "FT001", setups=as_nobody),
    Fault("rights", "the articles may not be read", mode("articles", 0), 2, "ermission", setups=as_nobody),
    Fault("rights", "the output may not be written to", mode("public", 0o555), 2, "ermission", setups=as_nobody),
    Fault("rights", "a folder of the output may not be written to", mode(ONE, 0o555), 2, "ermission", setups=as_nobody),
    Fault("rights", "a folder to be removed may not be written to", mode(OLD, 0o555), 2, "ermission", setups=as_nobody),
    Fault("rights", "a file of the output may not be read", mode("public/atom.xml", 0), 0, setups=as_nobody),
    Fault("rights", ".feedtool may not be written to",
          both(gone(".feedtool/index"), mode(".feedtool", 0o555)), 2, ".feedtool", setups=as_nobody),
    Fault("rights", ".feedtool may not be entered", mode(".feedtool", 0), 2, ".feedtool", setups=as_nobody),
    Fault("rights", "the lock may not be opened", mode(".feedtool/lock", 0), 2, ".feedtool", setups=as_nobody),
    Fault("rights", "the index may not be opened", mode(".feedtool/index", 0), 0, "made anew", setups=as_nobody),
    Fault("rights", "the settings may not be read", mode("feedtool.toml", 0), 2, "feedtool.toml", setups=as_nobody),
    Fault("rights", "the site may not be written to, ingest",
          mode(".", 0o555), 1, "feedtool.state", INGEST, as_nobody, converges=False),
    Fault("rights", "the articles may not be written to, ingest", mode("articles", 0o555), 1, "FT307", INGEST, as_nobody),
    Fault("rights", "the articles may not be written to, new", mode("articles", 0o555), 2, "ermission", NEW, as_nobody),
    Fault("rights", "an article may not be written to, check --fix",
          mode("articles/b.md", 0o444), 1, "FT023", FIX, as_nobody, converges=False),
    Fault("disk", "the disk is full, build", nothing, 2, "full", setups=disk(24 << 10)),
    Fault("disk", "the output's disk is full, build", nothing, 2, "space", setups=disk(16 << 10, "public")),
    Fault("disk", "the articles' disk is full, ingest", nothing, 1, "space", INGEST, disk(0, "articles")),
    Fault("disk", "the articles' disk is full, new", nothing, 2, "space", NEW, disk(0, "articles")),
    Fault("disk", "the derived disk is full, build", nothing, 2, "", setups=disk(4 << 10, ".feedtool")),
    Fault("disk", "the disk is read-only, build", nothing, 2, "ead-only", setups=read_only_disk()),
    Fault("disk", "the disk is read-only, ingest", nothing, 2, "ead-only", INGEST, read_only_disk()),
    Fault("disk", "the disk is read-only, new", nothing, 2, "ead-only", NEW, read_only_disk()),
    Fault("disk", "the output's disk is read-only", nothing, 2, "ead-only", setups=read_only_disk("public")),
    Fault("disk", "the articles' disk is read-only, ingest", nothing, 1, "ead-only", INGEST, read_only_disk("articles")),
    Fault("disk", "the articles' disk is read-only, check --fix", nothing, 1, "FT023", FIX, read_only_disk("articles")),
    Fault("disk", "files may be of 2 kB, build", nothing, 2, "", setups=limit(resource.RLIMIT_FSIZE, 2048)),
    Fault("disk", "files may be of 1 kB, ingest", nothing, 2, "", INGEST, limit(resource.RLIMIT_FSIZE, 1024)),
    Fault("disk", "twelve files may be open", nothing, 2, setups=limit(resource.RLIMIT_NOFILE, 12)),
    Fault("change", "an article is deleted once it was listed",
          nothing, 1, "FT001", setups=when_opened("articles/f.md", gone("articles/f.md")), converges=False),
    Fault("change", "an article becomes a folder",
          nothing, 1, "FT001", setups=when_opened("articles/f.md", put("articles/f.md", full_folder)), converges=False),
    Fault("change", "an article becomes a FIFO",
          nothing, 1, "", setups=when_opened("articles/f.md", put("articles/f.md", FIFO)), converges=False),
    Fault("change", "an article becomes an endless device",
          nothing, 1, "", setups=when_opened("articles/f.md", put("articles/f.md", device)), converges=False),
    Fault("change", "a folder of articles is deleted",
          nothing, 1, "FT001", setups=when_opened(f"{D}/er/d.md", gone(D)), converges=False),
    Fault("change", "a folder of the output is deleted as it is written",
          nothing, 2, setups=when_opened(f"{ONE}/atom.xml.feedtool-new", gone(ONE))),
)  # fmt: skip
