"""Test that changes of a generator's settings and folder files take effect in the next build with an index."""

from __future__ import annotations

import json
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from feedtool.config import load_settings
from feedtool.models import Report
from feedtool.protocols import in_order
from feedtool.publish import Choices, build, pipeline, scan
from feedtool.workers.pool import Pool
from tests.support.site import make_site, tree, write

NOW = datetime(2024, 9, 1, tzinfo=UTC)
SETTINGS = '[articles]\nflavour = "{}"\npath = "{}"\n[feeds]\ntombstone_days = 0\n'
POST = "---\ntitle: {}\ndate: 2024-03-05 10:00:00\n---\nText of {}.\n"


def built(site: Path, *, now: datetime = NOW, choices: Choices | None = None) -> Report:
    """Build a site and check that a copy without an index gives the same bytes."""
    settings = load_settings(site)
    report = build(settings, mapper=in_order, clock=lambda: now, choices=choices or Choices())
    fresh = site.parent / "fresh"
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(site, fresh, ignore=shutil.ignore_patterns(".feedtool", "public"))
    build(load_settings(fresh), mapper=in_order, clock=lambda: now, choices=choices or Choices())
    assert tree(site / "public") == tree(fresh / "public")
    return report


def titles(site: Path) -> list[str]:
    """Return the sorted titles of the entries in the site's feed."""
    return sorted(item["title"] for item in json.loads((site / "public/feed.json").read_bytes())["items"])


def hugo(folder: Path) -> Path:
    """Return a Hugo site with sections and a bundle."""
    site = make_site(folder / "site", {}, SETTINGS.format("hugo", "content/posts"))
    write(site / "hugo.toml", 'baseURL = "https://example.org/"\n')
    for name in ("a", "s/b", "s/t/c", "u/d", "bundle/notes"):
        write(site / f"content/posts/{name}.md", POST.format(name, name))
    return site


CASCADE = "---\ntitle: S\ncascade:\n  {}\n---\n"
STEPS: tuple[tuple[str, str | None, list[str]], ...] = (
    ("content/posts/s/_index.md", "---\ntitle: S\n---\n", ["a", "bundle/notes", "s/b", "s/t/c", "u/d"]),
    ("content/posts/s/_index.md", CASCADE.format("draft: true"), ["a", "bundle/notes", "u/d"]),
    ("content/posts/s/_index.md", CASCADE.format("tags: [one]"), ["a", "bundle/notes", "s/b", "s/t/c", "u/d"]),
    ("content/posts/s/_index.md", CASCADE.format("tags: [two]"), ["a", "bundle/notes", "s/b", "s/t/c", "u/d"]),
    ("content/posts/s/t/_index.md", CASCADE.format("author: Robin"), ["a", "bundle/notes", "s/b", "s/t/c", "u/d"]),
    ("content/posts/s/_index.md", None, ["a", "bundle/notes", "s/b", "s/t/c", "u/d"]),
    ("content/posts/bundle/index.md", POST.format("bundle", "it"), ["a", "bundle", "s/b", "s/t/c", "u/d"]),
    ("content/posts/bundle/index.md", None, ["a", "bundle/notes", "s/b", "s/t/c", "u/d"]),
    ("content/_index.md", CASCADE.format("draft: true"), []),
    ("content/_index.md", None, ["a", "bundle/notes", "s/b", "s/t/c", "u/d"]),
    ("hugo.toml", '[cascade]\nauthor = "Kim"\n', ["a", "bundle/notes", "s/b", "s/t/c", "u/d"]),
    ("hugo.toml", 'ignoreFiles = ["u/"]\n', ["a", "bundle/notes", "s/b", "s/t/c"]),
)


def test_section_edits_reach_their_articles(tmp_path: Path) -> None:
    site = hugo(tmp_path)
    built(site)
    for path, text, expected in STEPS:
        if text is None:
            (site / path).unlink()
        else:
            write(site / path, text)
        assert built(site).written or path.endswith("hugo.toml") or expected, path
        assert titles(site) == expected, path
        assert built(site).written == 0, path


def test_cascade_edits_update_rendered_entries(tmp_path: Path) -> None:
    site = hugo(tmp_path)
    for name in ("one", "two"):
        write(site / "content/posts/s/_index.md", CASCADE.format(f"tags: [{name}]"))
        built(site)
        tags = {
            item["title"]: item.get("tags", [])
            for item in json.loads((site / "public/feed.json").read_bytes())["items"]
        }
        assert (tags["s/b"], tags["s/t/c"], tags["a"]) == ([name], [name], [])


def test_parallel_build_reads_sections_like_serial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "MANY", 1)
    site = hugo(tmp_path)
    built(site)
    write(site / "content/posts/s/_index.md", CASCADE.format("draft: true"))
    settings = load_settings(site)
    engine = Pool(2)
    try:
        build(settings, mapper=engine, clock=lambda: NOW, choices=Choices())
        assert titles(site) == ["a", "bundle/notes", "u/d"]
        assert build(settings, mapper=engine, clock=lambda: NOW, choices=Choices()).written == 0
    finally:
        engine.close()


def test_sections_are_found_after_many_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = hugo(tmp_path)
    built(site)
    monkeypatch.setattr(scan, "MAX_CHANGED", 1)
    write(site / "content/posts/s/_index.md", CASCADE.format("draft: true"))
    for path in (site / "content/posts").rglob("*.md"):
        os.utime(path, (1, 1))
    built(site)
    assert titles(site) == ["a", "bundle/notes", "u/d"]


def test_generator_settings_edits_take_effect(tmp_path: Path) -> None:
    site = make_site(tmp_path / "site", {}, SETTINGS.format("jekyll", "_posts"))
    write(site / "_posts/2024-03-05-a.md", "---\ntitle: A\n---\nText\n")
    write(site / "_posts/x/2024-03-05-b.md", "---\ntitle: B\n---\nText\n")
    built(site)
    assert titles(site) == ["A", "B"]
    scope = "defaults:\n- scope: {path: _posts/x}\n  values: {%s}\n"
    for values, expected in (("published: false", ["A"]), ("author: Robin", ["A", "B"]), ("author: Kim", ["A", "B"])):
        write(site / "_config.yml", scope % values)
        built(site)
        assert titles(site) == expected
        assert built(site).written == 0
    assert b"Kim" in (site / "public/feed.json").read_bytes()
    (site / "_config.yml").unlink()
    built(site)
    assert b"Kim" not in (site / "public/feed.json").read_bytes()


def test_publish_and_expiry_dates_take_effect(tmp_path: Path) -> None:
    site = hugo(tmp_path)
    write(
        site / "content/posts/e.md",
        POST.replace("---\nText", "publishDate: 2024-09-02\nexpiryDate: 2024-09-04\n---\nText").format("e", "e"),
    )
    for days, is_there in ((0, False), (1, True), (2, True), (3, False), (4, False)):
        now = NOW + timedelta(days=days)
        built(site, now=now)
        assert ("e" in titles(site)) == is_there
        assert built(site, now=now).written == 0


def test_future_preview_hides_protected_articles(tmp_path: Path) -> None:
    site = hugo(tmp_path)
    for name, line in (
        ("embargo", "publishDate: 2099-01-01"),
        ("expired", "expiryDate: 2020-01-01"),
        ("draft", "draft: true"),
        ("locked", "password: secret"),
        ("unlisted", "unlisted: true"),
        ("never", "build: {list: never}"),
    ):
        write(site / f"content/posts/{name}.md", POST.format(name, name).replace("---\nText", f"{line}\n---\nText"))
    write(site / "content/posts/u/d.md", POST.replace("2024", "2098").format("u/d", "u/d"))
    always = ["a", "bundle/notes", "s/b", "s/t/c"]
    for choices, more in (
        (Choices(), []),
        (Choices(drafts=True), ["draft"]),
        (Choices(future=True), ["embargo", "u/d"]),
        (Choices(drafts=True, future=True), ["draft", "embargo", "u/d"]),
    ):
        built(site, choices=choices)
        assert titles(site) == sorted([*always, *more])
