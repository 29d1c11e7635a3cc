"""A small site with work for every command, things beside it that are nobody's to touch, and what its files may hold.

The site was built, and then changed: one article edited, one new, one in another category, so that a build has files to
write anew, to make and to remove. What it makes of that is known from a run without any fault.
"""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from feedtool.cli.main import run
from feedtool.config import Settings, SourceSettings
from feedtool.feedparse.worker import Job, parse_and_clean
from feedtool.storage import TEMPORARY_SUFFIX
from tests.hostile_world.child import NOBODY, Ended, Setup, child, feedtool
from tests.support.site import article, environment, make_site, tree, write

FEED = """<rss version="2.0"><channel><title>Wire</title><link>https://news.example/</link>
{}</channel></rss>
"""
ITEM = """<item><title>Story {0}</title><link>https://news.example/{0}</link><guid>https://news.example/{0}</guid>
<pubDate>Mon, 23 Nov 2026 1{0}:00:00 GMT</pubDate><description>&lt;p&gt;Text {0}{1}.&lt;/p&gt;</description></item>
"""
OURS = ("articles", "public", "feedtool.state", "feedtool.toml")
"""What of a site is looked at: all but what is derived."""


@dataclass
class Yard:
    """A folder with the site, `outside` beside it, and the files as they were and as they are to be."""

    place: Path
    old: dict[str, bytes] = field(default_factory=dict)
    new: dict[str, bytes] = field(default_factory=dict)
    before: dict[str, str] = field(default_factory=dict)

    @property
    def site(self) -> Path:
        """The site's folder."""
        return self.place / "site"

    @property
    def outside(self) -> Path:
        """What is not the site's."""
        return self.place / "outside"

    def run(self, *words: str, setups: list[Setup] | None = None, **how: object) -> Ended:
        """Run a command on the site in a child."""
        return child(feedtool(*words[:1], "-C", str(self.site), *words[1:]), setups=setups or [], **how)  # type: ignore[arg-type]

    def build(self, *words: str, setups: list[Setup] | None = None) -> Ended:
        """Build the site in a child."""
        return self.run("build", "--jobs", "1", *words, setups=setups)

    def look(self) -> dict[str, str]:
        """Return all that is outside the site, and what is in its output and not ours: kind, rights and bytes."""
        foreign = [self.site / "public" / "CNAME", self.site / "public" / "photos" / "x.jpg"]
        return {str(path.relative_to(self.place)): _told(path) for path in [*sorted(self.outside.rglob("*")), *foreign]}

    def halves(self) -> list[str]:
        """Return the names of what was being written and is left."""
        return [str(path) for path in self.site.rglob(f"*{TEMPORARY_SUFFIX}")]


def _told(path: Path) -> str:
    try:
        status = path.lstat()
    except OSError:
        return "gone"
    held = os.readlink(path) if path.is_symlink() else path.read_bytes()[:1000] if path.is_file() else b""
    return f"{status.st_mode:o} {status.st_uid} {held!r}"


@contextmanager
def template() -> Iterator[Yard]:
    """Make the yard that the others are copies of; folders of tests are of no use to who has no rights."""
    with tempfile.TemporaryDirectory(prefix="yard-") as folder:
        place = Path(folder)
        place.chmod(0o755)
        yard = Yard(place)
        write(yard.outside / "feed.xml", FEED.format(ITEM.format(1, "") + ITEM.format(2, "")))
        warm(yard.outside / "feed.xml")
        make_site(yard.site, articles())
        assert yard.build().code == 0
        write(yard.site / "public" / "CNAME", "example.org\n")
        write(yard.site / "public" / "photos" / "x.jpg", b"\xff\xd8")
        for name in ("secret.md", "atom.xml", "rss.xml", "feed.json", "index.html", "feedtool.state", "index", "lock"):
            write(yard.outside / name, article(f"Secret {name}"))
        write(yard.outside / "deep" / "kept.md", "kept")
        yard.old = held(yard.site)
        changed(yard.site)
        with copied(yard) as other:
            assert other.build().code == 0
            yard.new = held(other.site)
        yield yard


def warm(feed: Path) -> None:
    """Run every command once in this process: who has no rights can't load what Python is made of, either."""
    kept = dict(os.environ)
    os.environ.clear()
    os.environ.update(environment())
    try:
        with tempfile.TemporaryDirectory() as folder:
            site = str(make_site(Path(folder, "site"), articles()))
            lines = (
                ["build", "--jobs", "1"],
                ["ingest", str(feed), "--name", "W"],
                ["new", "N"],
                ["check", "--fix"],
                ["opml", "export"],
            )
            for command, *words in lines:
                run(["-C", site, command, *words])
            Path(site, "articles", "x.md").symlink_to("nowhere")
            run(["-C", site, "build", "--jobs", "1", "--json"])
            source = SourceSettings(name="W", url="https://a.example/")
            job = Job(key="", body=feed.read_bytes(), url=source.url, source=source, html=Settings().html)
            assert parse_and_clean(job).entries
    finally:
        os.environ.clear()
        os.environ.update(kept)


def articles() -> dict[str, str]:
    """Return the articles of the site as it was built first."""
    made = {
        f"{name}.md": article(name.upper(), date=f"2022-07-{9 + number}", front="categories: [One]\n")
        for number, name in enumerate("abc")
    }
    return made | {
        "deep/er/d.md": article("D", front="categories: [Old]\n"),
        "e.md": article("E", date="2022-07-20", front="categories: [Two]\n"),
    }


def changed(site: Path) -> None:
    """Change the articles, so that a build has something to write, to make and to remove."""
    write(
        site / "articles" / "a.md",
        article("A", date="2022-07-09", front="categories: [One]\n", body="<p>Edited.</p>\n"),
    )
    write(site / "articles" / "deep" / "er" / "d.md", article("D", front="categories: [New]\n"))
    write(site / "articles" / "f.md", article("F", date="2022-07-21", front="categories: [Two, New]\n"))


def held(site: Path) -> dict[str, bytes]:
    """Return the files of a site that are not derived."""
    return {name: data for name, data in tree(site).items() if name.startswith(OURS)}


@contextmanager
def copied(yard: Yard) -> Iterator[Yard]:
    """Make a copy of a yard, which is nobody's where we are root, so that rights mean something."""
    with tempfile.TemporaryDirectory(prefix="yard-", ignore_cleanup_errors=True) as folder:
        place = Path(folder)
        place.chmod(0o755)
        for name in ("site", "outside"):
            shutil.copytree(yard.place / name, place / name, symlinks=True)
        other = Yard(place, yard.old, yard.new)
        owned(place)
        other.before = other.look()
        yield other
        for path, folders, names in os.walk(folder):
            for name in (*folders, *names):
                if not os.path.islink(os.path.join(path, name)):
                    os.chmod(os.path.join(path, name), 0o755)


def owned(place: Path) -> None:
    """Give a folder to nobody, where we may."""
    if not os.geteuid():
        for path, folders, names in os.walk(place):
            for name in (".", *folders, *names):
                os.chown(os.path.join(path, name), NOBODY, NOBODY, follow_symlinks=False)


def bind(path: Path) -> None:
    """Make a socket with a name in a folder; paths of sockets are short, so it is made from there."""
    here = os.getcwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as opened:
            opened.bind(path.name)
    finally:
        os.chdir(here)
