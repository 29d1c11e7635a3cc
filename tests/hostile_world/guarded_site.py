"""A small site with work for every command, foreign files beside it, and the expected contents of its files.

The site was built and then changed: one article is edited, one is new, one has another category, so that a build must
rewrite, create and remove files. A run without faults gives the expected output.
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
from tests.hostile_world.child import NOBODY, ChildResult, Setup, child, feedtool
from tests.support.site import article, environment, make_site, tree, write

FEED = """<rss version="2.0"><channel><title>Wire</title><link>https://news.example/</link>
{}</channel></rss>
"""
ITEM = """<item><title>Story {0}</title><link>https://news.example/{0}</link><guid>https://news.example/{0}</guid>
<pubDate>Mon, 23 Nov 2026 1{0}:00:00 GMT</pubDate><description>&lt;p&gt;Text {0}{1}.&lt;/p&gt;</description></item>
"""
OURS = ("articles", "public", "feedtool.state", "feedtool.toml")
"""The compared files of a site: all except derived ones."""


@dataclass
class GuardedSite:
    """A folder with the site, foreign files in `outside`, and the files of the site before and after a build."""

    place: Path
    old: dict[str, bytes] = field(default_factory=dict)
    new: dict[str, bytes] = field(default_factory=dict)
    before: dict[str, str] = field(default_factory=dict)

    @property
    def site(self) -> Path:
        """Return the folder of the site."""
        return self.place / "site"

    @property
    def outside(self) -> Path:
        """Return the folder of foreign files."""
        return self.place / "outside"

    def run(self, *words: str, setups: list[Setup] | None = None, **how: object) -> ChildResult:
        """Run a command on the site in a child."""
        return child(feedtool(*words[:1], "-C", str(self.site), *words[1:]), setups=setups or [], **how)  # type: ignore[arg-type]

    def build(self, *words: str, setups: list[Setup] | None = None) -> ChildResult:
        """Build the site in a child."""
        return self.run("build", "--jobs", "1", *words, setups=setups)

    def foreign_files(self) -> dict[str, str]:
        """Return the kind, permissions and bytes of all foreign files, outside the site and in its output."""
        foreign = [self.site / "public" / "CNAME", self.site / "public" / "photos" / "x.jpg"]
        return {
            str(path.relative_to(self.place)): _describe(path) for path in [*sorted(self.outside.rglob("*")), *foreign]
        }

    def halves(self) -> list[str]:
        """Return the names of temporary files that remain."""
        return [str(path) for path in self.site.rglob(f"*{TEMPORARY_SUFFIX}")]


def _describe(path: Path) -> str:
    try:
        status = path.lstat()
    except OSError:
        return "gone"
    content = os.readlink(path) if path.is_symlink() else path.read_bytes()[:1000] if path.is_file() else b""
    return f"{status.st_mode:o} {status.st_uid} {content!r}"


@contextmanager
def template() -> Iterator[GuardedSite]:
    """Make the site that tests copy.

    It is in a folder with mode 755, because an unprivileged child cannot enter the folders of pytest.
    """
    with tempfile.TemporaryDirectory(prefix="guarded-site-") as folder:
        place = Path(folder)
        place.chmod(0o755)
        guarded = GuardedSite(place)
        write(guarded.outside / "feed.xml", FEED.format(ITEM.format(1, "") + ITEM.format(2, "")))
        warm(guarded.outside / "feed.xml")
        make_site(guarded.site, articles())
        assert guarded.build().code == 0
        write(guarded.site / "public" / "CNAME", "example.org\n")
        write(guarded.site / "public" / "photos" / "x.jpg", b"\xff\xd8")
        for name in ("secret.md", "atom.xml", "rss.xml", "feed.json", "index.html", "feedtool.state", "index", "lock"):
            write(guarded.outside / name, article(f"Secret {name}"))
        write(guarded.outside / "deep" / "kept.md", "kept")
        guarded.old = site_files(guarded.site)
        changed(guarded.site)
        with copied(guarded) as other:
            assert other.build().code == 0
            guarded.new = site_files(other.site)
        yield guarded


def warm(feed: Path) -> None:
    """Run every command once in this process: an unprivileged child cannot import modules."""
    variables = dict(os.environ)
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
        os.environ.update(variables)


def articles() -> dict[str, str]:
    """Return the articles of the site at its first build."""
    dated = {
        f"{name}.md": article(name.upper(), date=f"2022-07-{9 + number}", front="categories: [One]\n")
        for number, name in enumerate("abc")
    }
    return dated | {
        "deep/er/d.md": article("D", front="categories: [Old]\n"),
        "e.md": article("E", date="2022-07-20", front="categories: [Two]\n"),
    }


def changed(site: Path) -> None:
    """Change the articles, so that a build must rewrite, create and remove files."""
    write(
        site / "articles" / "a.md",
        article("A", date="2022-07-09", front="categories: [One]\n", body="<p>Edited.</p>\n"),
    )
    write(site / "articles" / "deep" / "er" / "d.md", article("D", front="categories: [New]\n"))
    write(site / "articles" / "f.md", article("F", date="2022-07-21", front="categories: [Two, New]\n"))


def site_files(site: Path) -> dict[str, bytes]:
    """Return the files of a site that are not derived."""
    return {name: data for name, data in tree(site).items() if name.startswith(OURS)}


@contextmanager
def copied(guarded: GuardedSite) -> Iterator[GuardedSite]:
    """Make a copy of a site that belongs to the user nobody if we are root, so that permissions apply."""
    with tempfile.TemporaryDirectory(prefix="guarded-site-", ignore_cleanup_errors=True) as folder:
        place = Path(folder)
        place.chmod(0o755)
        for name in ("site", "outside"):
            shutil.copytree(guarded.place / name, place / name, symlinks=True)
        other = GuardedSite(place, guarded.old, guarded.new)
        owned(place)
        other.before = other.foreign_files()
        yield other
        for path, folders, names in os.walk(folder):
            for name in (*folders, *names):
                if not os.path.islink(os.path.join(path, name)):
                    os.chmod(os.path.join(path, name), 0o755)


def owned(place: Path) -> None:
    """Give a folder to the user nobody, if allowed."""
    if not os.geteuid():
        for path, folders, names in os.walk(place):
            for name in (".", *folders, *names):
                os.chown(os.path.join(path, name), NOBODY, NOBODY, follow_symlinks=False)


def bind(path: Path) -> None:
    """Bind a socket to a name in a folder; socket paths are short, so the folder becomes the current one."""
    here = os.getcwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as opened:
            opened.bind(path.name)
    finally:
        os.chdir(here)
