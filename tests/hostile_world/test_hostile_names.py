"""Test that hostile names in titles, ids, sources or files lead only to safe file names inside the right folder."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from feedtool.config import load_settings
from feedtool.errors import FeedtoolError, UsageError
from feedtool.ingesting.paths import ArticlePaths, folder_of
from feedtool.scaffold import NewArticle, new_article
from tests.hostile_world.child import child, feedtool
from tests.hostile_world.names import NAMES, harm, harms
from tests.support.ingestworld import NOW, URL, World, counts, entry, run
from tests.support.site import make_site, tree

Tally = Callable[[int], None]


class Surroundings(SimpleNamespace):
    """A folder with a site and foreign files beside it."""

    def is_whole(self) -> bool:
        """Return True if all foreign files are unchanged."""
        return sorted(path.name for path in self.place.iterdir()) == self.names and tree(self.outside) == self.before


@pytest.fixture
def guarded(tmp_path: Path) -> Surroundings:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept.md").write_text("kept")
    (tmp_path / "site").mkdir()
    return Surroundings(
        place=tmp_path, site=tmp_path / "site", outside=outside, names=["outside", "site"], before=tree(outside)
    )


def quoted(text: str) -> str:
    return json.dumps(text.encode("utf-8", "replace").decode(), ensure_ascii=True)


@pytest.mark.fault_class("files.names")
def test_article_metadata_names_no_file_outside_output(guarded: Surroundings, tally: Tally) -> None:
    articles = {}
    for number, text in enumerate(NAMES.values()):
        front = "".join(f"{key}: [{quoted(text)}]\n" for key in ("categories", "tags", "author"))
        front += f"guid: {quoted(f'{text} {number}')}\n"
        articles[f"n{number}.md"] = f"---\ntitle: {quoted(text)}\ndate: 2022-07-25\n{front}---\nx\n"
    site = make_site(guarded.site, articles, '[pages]\narticles = "all"\n')
    result = child(feedtool("build", "-C", str(site), "--quiet"))
    assert result.calm, result.output[-3000:]
    assert harms(site / "public", but=(".feedtool-manifest",)) == []
    assert sorted(path.name for path in site.iterdir()) == [".feedtool", "articles", "feedtool.toml", "public"]
    assert guarded.is_whole()
    tally(len(NAMES) * 5)


@pytest.mark.fault_class("files.names")
def test_hostile_article_file_names_give_safe_output(guarded: Surroundings, tally: Tally) -> None:
    site = make_site(guarded.site, {}, '[pages]\narticles = "all"\n')
    file_names = 0
    for number, text in enumerate(NAMES.values()):
        for name in (f"{text}.md", f"{text}/{number}.md"):
            path = site / "articles" / name
            try:
                inside = path.resolve().is_relative_to(site / "articles")
                if not inside or ".." in path.parts:
                    continue
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(f"---\ntitle: T{number}\ndate: 2022-07-25\n---\nx\n")
            except (OSError, ValueError):
                continue  # no file can have such a name here or in a pull request
            file_names += 1
    assert file_names > 120
    result = child(feedtool("build", "-C", str(site), "--quiet"))
    assert result.calm, result.output[-3000:]
    assert harms(site / "public", but=(".feedtool-manifest",)) == []
    assert guarded.is_whole()
    tally(file_names)


@pytest.mark.fault_class("files.names")
def test_feed_metadata_names_no_file_outside_articles(guarded: Surroundings, tally: Tally) -> None:
    site = make_site(
        guarded.site,
        {},
        f'[ingest]\nfolder = "{{source}}/{{category}}/{{year}}"\n[[sources]]\nname = "W"\nurl = "{URL}"\n',
    )
    world = World()
    world.pages[URL] = [
        entry(number, title=text, categories=[text], guid=f"{text} {number}", authors=())
        for number, text in enumerate(NAMES.values())
    ]
    assert counts(run(site, world)) == {"new": len(NAMES)}
    assert harms(site / "articles") == []
    assert all(path.suffix in (".md", ".html") for path in (site / "articles").rglob("*") if path.is_file())
    assert counts(run(site, world, force=True)) == {"unchanged": len(NAMES)}
    assert guarded.is_whole()
    tally(len(NAMES) * 3)


@pytest.mark.fault_class("files.names")
def test_folder_templates_stay_inside_articles(guarded: Surroundings, tally: Tally) -> None:
    root = guarded.site / "articles"
    root.mkdir()
    places = ArticlePaths(str(root))
    templates = (
        "{source}",
        "{source}/{category}",
        "{category}/{year}/{month}/{day}",
        "x{source}x",
        "{source}{category}",
    )
    for text in NAMES.values():
        for template in (*templates, text, f"{text}/{{source}}"):
            folder = folder_of(template, source=text, categories=[text], published=NOW)
            path = places.path(folder, text, f"{text} {template}")
            assert not path.startswith("/")
            assert (root / path).resolve().is_relative_to(root)
            assert [part for part in path.split("/") if harm(part)] == []
    tally(len(NAMES) * (len(templates) + 2))


@pytest.mark.fault_class("files.names")
def test_settings_name_no_file_outside_the_site(guarded: Surroundings, tally: Tally) -> None:
    keys = (
        "output = {}\n",
        "[articles]\npath = {}\n",
        '[ingest]\nfolder = {}\n[[sources]]\nname = "W"\nurl = "https://a.example/"\n',
    )
    for number, text in enumerate(NAMES.values()):
        for key in keys:
            site = guarded.site / str(number)
            shutil.rmtree(site, ignore_errors=True)
            make_site(site, {"a.md": "---\ntitle: A\ndate: 2022-07-25\n---\nx\n"})
            settings = (site / "feedtool.toml").read_text()
            head = key.format(quoted(text).replace("\\u007f", "\\u007F"))
            (site / "feedtool.toml").write_text(head + settings if key.startswith("output") else settings + head)
            if number % 24 == 0:
                result = child(feedtool("build", "-C", str(site), "--quiet"))
                assert result.calm, (text, result.output[-3000:])
            else:
                with contextlib.suppress(FeedtoolError):
                    load_settings(str(site), environment={})
    assert guarded.is_whole()
    tally(len(NAMES) * len(keys))


@pytest.mark.fault_class("files.names")
def test_selections_and_sources_get_safe_names(guarded: Surroundings, tally: Tally) -> None:
    names = {text.encode("utf-8", "replace").decode() for text in NAMES.values()}
    tables = "".join(f'[feeds.select.{quoted(text)}]\ncategories = ["x"]\n' for text in sorted(names)).replace(
        "\\u007f", "\\u007F"
    )
    site = make_site(guarded.site, {"a.md": "---\ntitle: A\ndate: 2022-07-25\ncategories: [x]\n---\nx\n"}, tables)
    result = child(feedtool("build", "-C", str(site), "--quiet"))
    assert result.calm, result.output[-3000:]
    if result.code == 2:
        assert re.search(r"feedtool\.toml:\d+", result.output), result.output
    assert not (site / "public").exists() or harms(site / "public", but=(".feedtool-manifest",)) == []
    assert guarded.is_whole()
    tally(len(names))


@pytest.mark.fault_class("files.names")
def test_new_articles_stay_inside_the_folder(guarded: Surroundings, tally: Tally) -> None:
    site = make_site(guarded.site, {})
    settings = load_settings(str(site), environment={})
    empty = set()
    for text in NAMES.values():
        for title in (NewArticle(title=text), NewArticle(title="A title", categories=(text,))):
            try:
                path = Path(new_article(settings, title, clock=lambda: NOW))
            except UsageError:
                empty.add(text)
                continue
            assert path.resolve().is_relative_to(site / "articles")
            assert path.read_bytes().endswith(b"---\n\n")
    assert empty == {text for text in NAMES.values() if not text.strip()}
    assert harms(site / "articles") == []
    assert guarded.is_whole()
    tally(len(NAMES) * 2)


@pytest.mark.fault_class("files.names")
def test_init_writes_only_into_the_given_folder(guarded: Surroundings, tally: Tally) -> None:
    tried = 0
    for number, text in enumerate(NAMES.values()):
        folder = (
            guarded.site / f"{number}" / text.replace("/", "_")
            if "\0" not in text and len(text.encode("utf-8", "replace")) < 250
            else None
        )
        if folder is None or text in ("..", ".") or "\ud800" in text:
            continue
        if number % 6:
            continue
        result = child(feedtool("init", "--quiet", "--title", text, "--", str(folder)))
        assert result.calm, (text, result.output[-3000:])
        if result.code == 2:
            assert result.output.startswith("error: ")
            continue
        assert [path.name for path in (guarded.site / f"{number}").iterdir()] == [folder.name]
        tried += 1
    assert guarded.is_whole()
    tally(tried)


def test_harm_detector_recognises_harmful_names() -> None:
    plain = {
        "Straße",
        "STRASSE",
        "strasse",
        "K",
        "composed",
        "CAFÉ",
        "fi",
        "ligature",
        "full-width",
        "Turkish",
        "dotless",
        "istanbul",
    }
    harmful = (
        "up on Windows",
        "CON",
        "COM1.txt",
        "NUL byte",
        ".git",
        "10 kB",
        "an option",
        "home",
        "dots at the end",
        "RTL override",
    )
    assert all(harm(NAMES[kind]) for kind in harmful)
    assert not any(harm(NAMES[kind]) for kind in plain)
