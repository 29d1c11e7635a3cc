"""Test that a build refuses harmful options before it writes anything, with the whole message, and its defaults."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from feedtool.config import load_settings
from feedtool.errors import FeedtoolError
from feedtool.protocols import in_order
from feedtool.publish import Choices, build
from tests.support.site import article, make_site, tree, write

NOW = datetime(2022, 9, 1, tzinfo=UTC)


def built(site: Path, output: str | None = None, **choices: bool) -> int:
    options = {} if output is None else {"output": output}
    loaded = load_settings(str(site), options=options, environment={})
    return build(loaded, mapper=in_order, clock=lambda: NOW, choices=Choices(**choices)).articles


@pytest.fixture
def site(tmp_path: Path) -> Path:
    articles = {
        "a.md": article("A"),
        "b.md": article("B", front="draft: true\n"),
        "_drafts/c.md": article("C"),
        "d.md": article("D", date="2022-09-01T00:00:01Z"),
        "e.md": article("E", date="2022-09-01T00:00:00Z"),
    }
    return make_site(tmp_path / "site", articles)


@pytest.mark.parametrize(
    ("choices", "count"),
    [
        ({}, 2),
        ({"drafts": True}, 4),
        ({"future": True}, 3),
        ({"drafts": True, "future": True}, 5),
        ({"dry_run": True}, 2),
    ],
)
def test_drafts_and_future_articles_need_an_option(site: Path, choices: dict[str, bool], count: int) -> None:
    assert built(site, **choices) == count
    assert (site / "public").exists() == (site / ".feedtool").exists() == ("dry_run" not in choices)


@pytest.mark.parametrize(
    ("output", "cause", "hint"),
    [
        ("articles", "lies inside the articles folder", "choose another output folder"),
        ("articles/x", "lies inside the articles folder", "choose another output folder"),
        (".", "holds the articles", "choose an output folder that holds nothing else"),
        ("..", "holds the articles", "choose an output folder that holds nothing else"),
        (".feedtool", "is in use", "choose an output folder that holds nothing else"),
        ("templates", "is in use", "choose an output folder that holds nothing else"),
        ("feedtool.toml", "is not a folder", "choose another output folder"),
    ],
)
def test_harmful_output_folder_is_refused(site: Path, output: str, cause: str, hint: str) -> None:
    before = tree(site)
    with pytest.raises(FeedtoolError) as failure:
        built(site, str(site / output))
    assert (failure.value.what, failure.value.hint) == (cause, hint)
    assert Path(failure.value.where or "") == (site / output).resolve()
    assert tree(site) == before


@pytest.mark.parametrize(
    ("path", "cause"),
    [("none", "there is no such folder of articles"), ("feedtool.toml", "there is no such folder of articles")],
)
def test_missing_articles_folder_is_reported(site: Path, path: str, cause: str) -> None:
    write(site / "feedtool.toml", f'{(site / "feedtool.toml").read_text("utf-8")}[articles]\npath = "{path}"\n')
    with pytest.raises(FeedtoolError) as failure:
        built(site)
    assert (failure.value.what, failure.value.hint) == (cause, "make it, or set [articles] path")
    assert failure.value.where == str(site / path)


def test_unreadable_template_is_reported(site: Path) -> None:
    (site / "templates/index.html").mkdir(parents=True)
    with pytest.raises(FeedtoolError) as failure:
        built(site)
    assert (failure.value.what, failure.value.where) == (
        "cannot be read: Is a directory",
        str(site / "templates/index.html"),
    )


def test_other_files_beside_templates_are_ignored(site: Path) -> None:
    built(site)
    plain = tree(site / "public")
    for name in (".#index.html", "index.html~", "notes.txt", "readme.md", "index.htm"):
        write(site / "templates" / name, "{{ nothing }}")
    built(site)
    assert tree(site / "public") == plain
    write(site / "templates/site.css", "p { color: red }\r\nb { color: blue }\r")
    built(site)
    assert (site / "public/site.css").read_bytes().endswith(b"p { color: red }\nb { color: blue }\n")


@pytest.mark.parametrize("selector", ["[[", "a >", "div:no-such-thing(x)"])
def test_invalid_selector_is_reported_with_its_line(site: Path, selector: str) -> None:
    write(
        site / "feedtool.toml", f'{(site / "feedtool.toml").read_text("utf-8")}[html]\nremove = [".a", "{selector}"]\n'
    )
    with pytest.raises(FeedtoolError) as failure:
        built(site)
    assert failure.value.what == f'[html] remove: "{selector}" is not a CSS selector'
    assert failure.value.hint == 'write it as ".ad" or "div > p.note"'
    assert re.search(r"feedtool\.toml:\d+: \[html\] remove: ", str(failure.value))


@pytest.mark.parametrize(
    ("pages", "files"),
    [
        ('articles = "none"\nindex = false', set()),
        ('articles = "none"', {"index.html", "site.css", "sitemap.xml"}),
        ("index = false", {"articles/", "site.css", "sitemap.xml"}),
        ("", {"articles/", "index.html", "site.css", "sitemap.xml"}),
    ],
)
def test_pages_follow_the_settings(site: Path, pages: str, files: set[str]) -> None:
    write(site / "feedtool.toml", f"{(site / 'feedtool.toml').read_text('utf-8')}[pages]\n{pages}\n")
    built(site)
    names = {name.partition("/")[0] + "/" * ("/" in name) for name in tree(site / "public")}
    assert names - {"archive/"} == files | {
        "atom.xml",
        "rss.xml",
        "feed.json",
        "feeds.opml",
        "feed.css",
        ".feedtool-manifest",
    }


def test_foreign_file_is_not_overwritten(site: Path) -> None:
    write(site / "public/rss.xml", "mine")
    with pytest.raises(FeedtoolError) as failure:
        built(site)
    assert failure.value.what == "was not made by feedtool, and the build would overwrite it"
    assert failure.value.hint == "move it away, or choose another output folder"
    assert failure.value.where == str(site / "public/rss.xml")
    assert tree(site / "public") == {"rss.xml": b"mine"}


@pytest.mark.parametrize(("count", "archives"), [(3, 0), (4, 1), (6, 1), (7, 2), (9, 2), (10, 3)])
def test_archives_begin_after_the_feed_limit(site: Path, count: int, archives: int) -> None:
    write(site / "feedtool.toml", f"{(site / 'feedtool.toml').read_text('utf-8')}[feeds]\nlimit = 3\n")
    for number in range(count - 2):
        write(site / f"articles/n{number}.md", article(str(number), date=f"2022-01-{number + 1:02}"))
    assert built(site) == count
    names = {name for name in tree(site / "public") if name.startswith("archive/")}
    assert names == {f"archive/{number}.{form}" for number in range(1, archives + 1) for form in ("xml", "json")}
