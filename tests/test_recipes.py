"""RECIPES.md as its readers follow it: files written, commands run in order, against servers on loopback."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from feedtool.config import parse_settings
from tests.server import Server, serve
from tests.site import ROOT, environment, tree, write

PAGE = (ROOT / ".github/RECIPES.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"(.*)\n\n```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FETCHED = ("friends", "members")
HEXO = """title: My blog
url: https://blog.example.org
language: zh-CN
timezone: Asia/Shanghai
permalink: :year/:month/:day/:title/
"""
ITEM = "<item><title>{0}</title><link>https://{1}/{0}</link><guid>{1}/{0}</guid><pubDate>{2}</pubDate>{3}</item>"
DATE = "Mon, 25 Jul 2022 12:11:30 GMT"


class Step(NamedTuple):
    """One block of a recipe: a file to write or to add to, or commands to run."""

    kind: str
    language: str
    text: str


def recipes() -> dict[str, list[Step]]:
    """Return the steps of each recipe by its heading."""
    found = {}
    for part in PAGE.split("\n## ")[1:]:
        heading, _, rest = part.partition("\n")
        steps = []
        for before, language, text in re.findall(r"([^\n]*)\n\n```(\w+)\n(.*?)^```$", rest, re.MULTILINE | re.DOTALL):
            file = re.search(r"`([\w./-]+)`:$", before)
            kind = f"file {file[1]}" if file and language != "sh" else "run" if language == "sh" else "show"
            steps.append(Step(kind, language, text))
        found[heading] = steps
    return found


RECIPES = recipes()


def rss(name: str, *titles: str, body: str = "<description>Text of this entry.</description>") -> str:
    items = "".join(ITEM.format(title, f"{name}.example.org", DATE, body) for title in titles)
    return f'<rss version="2.0"><channel><title>{name}</title>{items}</channel></rss>'


@pytest.fixture
def server() -> Iterator[Server]:
    """Return a server that has every feed the recipes name."""
    routes = {
        "/ada.xml": rss("ada", "Engines", "Sponsored post"),
        "/grace.xml": rss("grace", "Compilers"),
        "/feed.xml": rss("members", "For members"),
        "/github/issue/DIYgod/RSSHub": rss("github", "An issue"),
        "/news/headlines": rss("news", "News", "Advert", body="<description>&lt;p class='share'&gt;Share&lt;/p&gt;</description>"),
    }  # fmt: skip
    with serve(routes) as running:
        yield running


def follow(heading: str, folder: Path, server: Server) -> None:
    """Do what a recipe says, in a folder; the hosts it fetches from are the server."""
    surroundings = environment({"PATH": f"{_programs(folder.parent)}{os.pathsep}{os.environ['PATH']}"})
    if "localhost:1200" not in str(RECIPES[heading]):
        surroundings["FEEDTOOL_INGEST_ALLOW_PRIVATE_HOSTS"] = "127.0.0.1"
    for step in RECIPES[heading]:
        text = step.text.replace("localhost:1200", f"localhost:{server.port}")
        for name in FETCHED:
            text = text.replace(f"https://{name}.example.org", server.url("").rstrip("/"))
        if step.kind.startswith("file "):
            path = folder / step.kind[5:]
            write(path, (path.read_text("utf-8") if path.exists() else "") + text)
        elif step.kind == "run":
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", text], cwd=folder, env=surroundings, capture_output=True, timeout=120
            )
            assert done.returncode == 0, done.stderr.decode()


def _programs(folder: Path) -> Path:
    programs = folder / "bin"
    programs.mkdir()
    (programs / "feedtool").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m feedtool "$@"\n')
    (programs / "feedtool").chmod(0o755)
    return programs


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return an empty folder."""
    (tmp_path / "site").mkdir()
    return tmp_path / "site"


def test_there_is_a_test_for_every_recipe() -> None:
    assert list(RECIPES) == [
        "Feeds for a Hexo site",
        "A planet of friends' blogs",
        "An RSSHub mirror",
        "A podcast",
        "Private feeds with secrets",
    ]
    assert all(any(step.kind == "run" for step in steps) for steps in RECIPES.values())


@pytest.mark.parametrize("text", [step.text for steps in RECIPES.values() for step in steps if step.language == "toml"])
def test_every_settings_block_is_understood(text: str) -> None:
    assert parse_settings(text, environment={}).origins


def test_the_feeds_of_a_hexo_site_lead_to_its_pages(folder: Path, server: Server) -> None:
    write(folder / "_config.yml", HEXO)
    write(folder / "package.json", '{"dependencies": {"hexo": "^7"}}')
    follow("Feeds for a Hexo site", folder, server)
    atom = (folder / "public/feeds/categories/日记/atom.xml").read_text("utf-8")
    assert 'href="https://blog.example.org/2022/07/25/hello/"' in atom
    assert "<published>2022-07-25T20:11:30+08:00</published>" in atom
    assert tree(folder / "source").keys() == {"_posts/hello.md"}


def test_a_planet_has_a_feed_for_all_and_one_for_some(folder: Path, server: Server) -> None:
    follow("A planet of friends' blogs", folder, server)
    public = folder / "planet/public"
    assert all(title in (public / "atom.xml").read_text("utf-8") for title in ("Engines", "Compilers", "Sponsored"))
    some = (public / "feeds/maths/atom.xml").read_text("utf-8")
    assert "Engines" in some
    assert "Compilers" in some
    assert "Sponsored" not in some
    assert (public / "categories/friends/rss.xml").is_file() or (public / "categories/Friends/rss.xml").is_file()
    assert (folder / "planet/.github/workflows").is_dir()


def test_an_rsshub_mirror_keeps_its_routes_and_leaves_out_what_it_is_told_to(folder: Path, server: Server) -> None:
    follow("An RSSHub mirror", folder, server)
    kept = {Path(name).with_suffix("").as_posix() for name in tree(folder / "articles")}
    assert kept == {"Headlines/2022/News", "RSSHub-issues/2022/An-issue"}
    atom = (folder / "public/atom.xml").read_text("utf-8")
    assert "Advert" not in atom
    assert "Share" not in atom


def test_a_podcast_carries_what_apple_asks_for(folder: Path, server: Server) -> None:
    follow("A podcast", folder, server)
    rss = (folder / "public/rss.xml").read_text("utf-8")
    assert '<enclosure url="https://podcast.example.org/1.mp3" length="1940211" type="audio/mpeg"/>' in rss
    for element in ('<itunes:category text="Technology"/>', "<itunes:duration>121</itunes:duration>", "<itunes:image "):
        assert element in rss


def test_a_secret_reaches_its_host_and_no_file(folder: Path, server: Server) -> None:
    follow("Private feeds with secrets", folder, server)
    assert [seen.headers["authorization"] for seen in server.log] == ["Bearer 7c9e6679f4b04d0b"]
    assert "For members" in (folder / "private/atom.xml").read_text("utf-8")
    assert not [name for name, data in tree(folder).items() if b"7c9e6679" in data]


def test_every_command_that_is_only_shown_exists() -> None:
    for steps in RECIPES.values():
        for step in steps:
            if step.language == "text":
                assert all(line.startswith("feedtool ") for line in step.text.splitlines())
