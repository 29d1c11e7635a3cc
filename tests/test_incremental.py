"""Test that an incremental build after any changes gives the same output as a full build."""

from __future__ import annotations

import errno
import os
import random
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from feedtool.catalog import fingerprints
from feedtool.config import load_settings
from feedtool.models import Report
from feedtool.protocols import in_order
from feedtool.publish import Choices, build, heads, pipeline, render
from feedtool.storage import prefixes, reading
from feedtool.workers import forked
from feedtool.workers.pool import Pool
from tests.support.site import SETTINGS, article, make_site, tree, write

NOW = datetime(2022, 9, 1, tzinfo=UTC)
EXTRAS = (
    "",
    "[feeds]\nlimit = 3\n",
    "[feeds]\nlimit = 2\narchive = true\n",
    '[feeds]\nlimit = 3\narchive = false\n[pages]\narticles = "none"\nindex = false\n',
    '[feeds]\nlimit = 4\nformats = ["rss"]\n[feeds.select.few]\ncategories = ["A"]\ntitle_match = "[02468]"\n',
    '[feeds]\nlimit = 3\ncontent = "summary"\n[html]\nremove = [".ad"]\n',
)
BODIES = (
    "<p>Text.</p>\n",
    '<p>It <b>is</b>.</p><img data-src="/x.png" src="data:,"><div class=ad>Buy!</div><script>x</script>\n',
    "# Heading\n\nSome *Markdown* with [a link](/there).\n",
    "<div><p>one<p>two<table><tr><td>x</table></div>\n",
)


class Site:
    """A site and a random generator that changes it."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.rng = random.Random(seed)
        self.folder = make_site(folder, {}, self.rng.choice(EXTRAS))
        self.made = 0
        for _ in range(self.rng.randint(1, 40)):
            self.add()

    def add(self) -> None:
        folder = self.rng.choice(("", "a/", "a/b/", "_drafts/", "深/"))
        self.made += 1
        write(self.folder / f"articles/{folder}{self.made} é.md", self._text())

    def _text(self) -> str | bytes:
        rng = self.rng
        if rng.random() < 0.05:
            return rng.choice(
                ("---\ntitle: [\n---\nx", "", "no front matter", "---\ntitle: no date\n---\nx", b"\xff\xfe\x00x")
            )
        front = "".join(
            line
            for line in (
                f"guid: {rng.choice(('urn:x:', 'odd '))}{rng.randint(1, 12)}\n",
                f"categories:\n - {rng.choice('AB')}\n - {rng.choice('BC')}\n",
                "draft: true\n",
                "tags: [x, y]\n",
                f"link: https://example.org/{rng.randint(1, 9)}\n",
                "updated: 2022-08-30\n",
            )
            if rng.random() < 0.3
        )
        date = f"{rng.choice((2021, 2022))}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
        return article(f"Title {rng.randint(1, 99)}", date=date, front=front, body=rng.choice(BODIES))

    def change(self) -> None:
        """Make one random change to the site."""
        files = sorted(path for path in (self.folder / "articles").rglob("*.md"))
        kind = self.rng.choice(
            ("add", "add", "edit", "edit", "delete", "rename", "copy", "touch", "settings", "output")
        )
        path = self.rng.choice(files) if files else None
        if kind == "add" or path is None:
            self.add()
        elif kind == "edit":
            write(path, self._text())
        elif kind == "delete":
            path.unlink()
        elif kind == "rename":
            path.rename(path.with_name(f"renamed {self.made}{path.name}"))
        elif kind == "copy":
            shutil.copy2(path, path.with_name(f"copy {path.name}"))
        elif kind == "touch":
            path.touch()
        elif kind == "settings":
            write(self.folder / "feedtool.toml", SETTINGS + self.rng.choice(EXTRAS))
        else:
            outputs = sorted(one for one in (self.folder / "public").rglob("[!.]*") if one.is_file())
            if outputs:
                harmed = self.rng.choice(outputs)
                harmed.unlink() if self.rng.random() < 0.5 else write(harmed, "harmed")


@pytest.fixture(autouse=True)
def has_forks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Allow forking although the test runner has threads to its workers."""
    monkeypatch.setattr(forked, "can_fork", lambda: True)


def built_with(folder: Path, jobs: int) -> Report:
    """Build a site; more than one job means that worker processes are used from the first article on."""
    settings = load_settings(str(folder))
    if jobs == 1:
        return build(settings, mapper=in_order, clock=lambda: NOW, choices=Choices())
    engine = Pool(jobs, patience=0)
    try:
        return build(settings, mapper=engine, clock=lambda: NOW, choices=Choices())
    finally:
        engine.close()


def live(place: Path, seed: int, steps: int) -> None:
    """Change and build a site many times, and compare each build with a build of the same site without an index."""
    site = Site(place / "site", seed)
    for step in range(steps):
        jobs = site.rng.choice((1, 1, 1, 2))
        report = built_with(site.folder, jobs)
        fresh = place / "fresh"
        shutil.copytree(site.folder, fresh, ignore=shutil.ignore_patterns("public", ".feedtool"))
        expected = built_with(fresh, 3 - jobs)
        assert tree(site.folder / "public") == tree(fresh / "public"), (seed, step)
        result = (report.articles, report.feeds, report.problems)
        assert result == (expected.articles, expected.feeds, expected.problems), (seed, step)
        shutil.rmtree(fresh)
        for _ in range(site.rng.choice((0, 1, 1, 2, 5))):
            site.change()
        if site.rng.random() < 0.8:
            # Otherwise the files are so new that no fingerprint of them is trusted.
            time.sleep(0.03)


@pytest.mark.parametrize("seed", range(6))
def test_incremental_build_equals_a_full_build(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (heads, fingerprints):
        monkeypatch.setattr(module, "PART", 3)
    live(tmp_path, seed, 8)


def test_unreadable_file_is_read_in_the_next_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = make_site(tmp_path / "site", {f"{name}.md": article(name) for name in "abc"})
    built_with(site, 1)
    expected = tree(site / "public")
    time.sleep(0.03)

    def refused(*_: object) -> OSError:
        return OSError(errno.EIO, os.strerror(errno.EIO))

    def refuse(*_: object) -> bytes:
        raise refused()

    for place, name, answer in ((prefixes, "_try_open", refused), (render.storage, "read_article", refuse)):
        for index in (True, False):
            if not index:
                shutil.rmtree(site / ".feedtool")
            # A file written again has to be read again; no other file can be missing from a feed.
            text = (site / "articles/b.md").read_text("utf-8")
            write(site / "articles/b.md", text.replace("Text", "Text."))
            time.sleep(0.03)
            with monkeypatch.context() as today:
                today.setattr(place, name, answer)
                result = built_with(site, 1).problems
            assert "articles/b.md" in {problem.file for problem in result if "cannot be read" in problem.message}, name
            time.sleep(0.03)
            assert built_with(site, 1).problems == (), name
            assert b"Text.." in (site / "public/atom.xml").read_bytes()
            write(site / "articles/b.md", text)
            time.sleep(0.03)
            built_with(site, 1)
            assert tree(site / "public") == expected


def test_oversized_file_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_ARTICLE_SIZE", 9_000)
    site = make_site(tmp_path / "site", {"a.md": article("A"), "b.md": article("B", body="<p>Text.</p>\n" * 1000)})
    time.sleep(0.03)
    result = built_with(site, 1)
    assert [(problem.file, problem.code) for problem in result.problems] == [("articles/b.md", "FT001")]
    for _ in range(2):
        with monkeypatch.context() as nothing:
            nothing.delattr(pipeline._Run, "_changed")
            assert built_with(site, 1).problems == result.problems
        shutil.rmtree(site / ".feedtool")
        assert built_with(site, 1).problems == result.problems
    write(site / "articles/b.md", article("B"))
    assert built_with(site, 1).problems == ()
