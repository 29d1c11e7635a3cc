"""Test the README and the guides by following them: write their files, run their commands, serve their hosts locally.

The reference pages are compared with the program: commands and options, settings, layers.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import MISSING
from pathlib import Path
from typing import NamedTuple

import click
import pytest

from feedtool.cli.main import COMMANDS, feedtool
from feedtool.config import parse_settings
from feedtool.config.field_types import ArrayOfTables, Table, TablesByName
from feedtool.config.json_schema import plain
from feedtool.config.schema import CLASSES
from feedtool.config.tables import Key, keys_of
from tests.support.server import Server, serve
from tests.support.site import ROOT, environment, tree, write

README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCS = ROOT / ".github/docs"
REFERENCES = ("commands", "problems", "settings")
SETTINGS = DOCS / "settings.md"
OPTION = re.compile(r"(?<![\w-])(--?[a-z][a-z-]*|-[A-Z])(?![\w-])")
BLOCK = re.compile(r"([^\n]*)\n\n```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HOSTS = ("friends", "members")
HEXO = """title: My blog
url: https://blog.example.org
language: zh-CN
timezone: Asia/Shanghai
permalink: :year/:month/:day/:title/
"""
ITEM = "<item><title>{0}</title><link>https://{1}/{0}</link><guid>{1}/{0}</guid><pubDate>{2}</pubDate>{3}</item>"
DATE = "Mon, 25 Jul 2022 12:11:30 GMT"


class Step(NamedTuple):
    """One block of a guide; `file` is the file that the block is written to, or ""."""

    language: str
    text: str
    file: str = ""


def steps_of(text: str) -> list[Step]:
    """Return the blocks of a page in order, without the set-up block, which `.ci/run` runs itself."""
    steps = []
    for before, language, block in BLOCK.findall(text.replace("<!-- set-up -->\n```", "<!-- set-up -->\n\n```")):
        file = re.search(r"`([\w./-]+)`:$", before)
        if before != "<!-- set-up -->":
            steps.append(Step(language, block, file[1] if file and language != "sh" else ""))
    return steps


GUIDES = {f"README: {part.partition(chr(10))[0]}": steps_of(part) for part in README.split("\n## ")[1:]}
GUIDES |= {page.stem: steps_of(page.read_text("utf-8")) for page in sorted(DOCS.glob("*.md"))}
GUIDES = {name: steps for name, steps in GUIDES.items() if steps and name not in REFERENCES}


def rss(name: str, *titles: str, body: str = "<description>Text of this entry.</description>") -> str:
    items = "".join(ITEM.format(title, f"{name}.example.org", DATE, body) for title in titles)
    return f'<rss version="2.0"><channel><title>{name}</title>{items}</channel></rss>'


@pytest.fixture
def server() -> Iterator[Server]:
    """Yield a server that has every feed that the guides name."""
    share = "<description>&lt;p class='share'&gt;Share&lt;/p&gt;</description>"
    routes = {
        "/ada.xml": rss("ada", "Engines", "Sponsored post"),
        "/grace.xml": rss("grace", "Compilers"),
        "/feed.xml": rss("members", "For members"),
        "/github/issue/DIYgod/RSSHub": rss("github", "An issue"),
        "/news/headlines": rss("news", "News", "Advert", body=share),
    }
    with serve(routes) as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder that contains a copy of the example site."""
    ignored = shutil.ignore_patterns("public", ".feedtool")
    shutil.copytree(ROOT / "feeds", tmp_path / "here/feeds", ignore=ignored)
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "feedtool").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m feedtool "$@"\n')
    (programs / "feedtool").chmod(0o755)
    return tmp_path / "here"


def follow(guide: str, folder: Path, server: Server) -> None:
    """Follow a guide in a folder, with every host replaced by the server."""
    variables = environment({"PATH": f"{folder.parent / 'bin'}{os.pathsep}{os.environ['PATH']}"})
    if "localhost:1200" not in str(GUIDES[guide]):
        variables["FEEDTOOL_INGEST_ALLOW_PRIVATE_HOSTS"] = "127.0.0.1"
    for step in GUIDES[guide]:
        text = step.text.replace("localhost:1200", f"localhost:{server.port}")
        for name in HOSTS:
            text = text.replace(f"https://{name}.example.org", server.url("").rstrip("/"))
        if step.file:
            path = folder / step.file
            write(path, (path.read_text("utf-8") if path.exists() else "") + text)
        elif step.language == "sh":
            _run(["bash", "-euo", "pipefail", "-c", text], folder, variables)
        elif step.language == "python":
            _run([sys.executable, "-c", text], folder, variables)
        elif step.language == "console":
            commands = "".join(f"{line[2:]}\n" for line in text.splitlines() if line.startswith("$ "))
            expected = "".join(f"{line}\n" for line in text.splitlines() if not line.startswith("$ "))
            output = _run(["bash", "-euo", "pipefail", "-c", f"exec 2>&1\n{commands}"], folder, variables)
            assert _without_counts(output) == _without_counts(expected)


def _run(command: list[str], folder: Path, variables: dict[str, str]) -> str:
    done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, encoding="utf-8", timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _without_counts(text: str) -> str:
    """Return the text with counts and times replaced; a count of 0 stays."""
    return re.sub(r"\b[1-9]\d*\b", "N", re.sub(r"\d+\.\d+ s", "N s", text))


@pytest.mark.parametrize(
    "guide", [name for name in GUIDES if name not in ("blog", "planet", "files", "podcast", "secrets")]
)
def test_a_guide_can_be_followed(guide: str, folder: Path, server: Server) -> None:
    follow(guide, folder, server)


@pytest.mark.parametrize("text", [step.text for steps in GUIDES.values() for step in steps if step.language == "toml"])
def test_every_settings_block_is_understood(text: str) -> None:
    assert parse_settings(text, environment={}).origins


def test_the_feeds_of_a_blog_link_to_its_pages(folder: Path, server: Server) -> None:
    write(folder / "_config.yml", HEXO)
    write(folder / "package.json", '{"dependencies": {"hexo": "^7"}}')
    follow("blog", folder, server)
    atom = (folder / "public/feeds/categories/日记/atom.xml").read_text("utf-8")
    assert 'href="https://blog.example.org/2022/07/25/hello/"' in atom
    assert "<published>2022-07-25T20:11:30+08:00</published>" in atom
    assert tree(folder / "source").keys() == {"_posts/hello.md"}


def test_a_planet_has_a_feed_for_all_and_for_some(folder: Path, server: Server) -> None:
    follow("planet", folder, server)
    public = folder / "planet/public"
    assert all(title in (public / "atom.xml").read_text("utf-8") for title in ("Engines", "Compilers", "Sponsored"))
    some = (public / "feeds/maths/atom.xml").read_text("utf-8")
    assert "Engines" in some
    assert "Compilers" in some
    assert "Sponsored" not in some
    assert (public / "categories/friends/rss.xml").is_file() or (public / "categories/Friends/rss.xml").is_file()
    assert (folder / "planet/.github/workflows").is_dir()


def test_a_mirror_keeps_entries_as_files(folder: Path, server: Server) -> None:
    follow("files", folder, server)
    names = {Path(name).with_suffix("").as_posix() for name in tree(folder / "articles")}
    assert names == {"Headlines/2022/News", "RSSHub-issues/2022/An-issue"}
    atom = (folder / "public/atom.xml").read_text("utf-8")
    assert "Advert" not in atom
    assert "Share" not in atom


def test_a_podcast_has_what_apple_requires(folder: Path, server: Server) -> None:
    follow("podcast", folder, server)
    feed = (folder / "public/rss.xml").read_text("utf-8")
    assert '<enclosure url="https://podcast.example.org/1.mp3" length="1940211" type="audio/mpeg"/>' in feed
    for element in ('<itunes:category text="Technology"/>', "<itunes:duration>121</itunes:duration>", "<itunes:image "):
        assert element in feed


def test_a_secret_reaches_its_host_and_no_file(folder: Path, server: Server) -> None:
    follow("secrets", folder, server)
    assert [request.headers["authorization"] for request in server.log] == ["Bearer 7c9e6679f4b04d0b"]
    assert "For members" in (folder / "private/atom.xml").read_text("utf-8")
    assert not [name for name, data in tree(folder).items() if b"7c9e6679" in data and name != "public"]


def test_every_command_that_is_only_shown_exists() -> None:
    for steps in GUIDES.values():
        for step in steps:
            if step.language == "text":
                words = [line.split() for line in step.text.splitlines() if line.startswith("feedtool ")]
                assert all(line[1] in COMMANDS for line in words)


def test_readme_is_short() -> None:
    assert README.count("\n") <= 180


def _options(command: click.Command) -> list[str]:
    return [option for parameter in command.params for option in parameter.opts if option.startswith("-")]


def _all_commands(group: click.Group) -> Iterator[click.Command]:
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        assert command is not None
        yield command
        if isinstance(command, click.Group):
            yield from _all_commands(command)


PAGES = {
    page.relative_to(ROOT).as_posix(): page for page in (ROOT / "README.md", *sorted((ROOT / ".github").rglob("*.md")))
}


@pytest.mark.parametrize("page", [name for name in PAGES if not name.endswith("CHANGELOG.md")])
def test_every_option_that_a_page_names_exists(page: str) -> None:
    prose = re.sub("<!--.*?-->", "", re.sub(r"^```.*?^```$", "", PAGES[page].read_text("utf-8"), flags=re.M | re.S))
    spans = [span for span in re.findall(r"`([^`\n]+)`", prose) if re.match(r"(feedtool |--?\w)", span)]
    named = {option for span in spans for option in OPTION.findall(span)}
    options = {option for command in (feedtool, *_all_commands(feedtool)) for option in _options(command)}
    foreign = {
        "-h",
        "--help",
        "-n",
        "--dist",
        "--kept",
        "--count",
        "--again",
        "--resume",
        "--accept",
        "--full",
        "--fix",
        "-t",
        "-E",
    }
    assert named <= options | foreign


@pytest.mark.parametrize("page", PAGES)
def test_every_setting_that_a_page_names_exists(page: str) -> None:
    text = (ROOT / "feedtool/data/defaults.toml").read_text(encoding="utf-8")
    defaults = tomllib.loads(text)
    for table, key in re.findall(r"`\[([a-z]+)\] (\w+)`", PAGES[page].read_text("utf-8")):
        assert key in defaults[table] or f"\n#{key} = " in text, f"[{table}] {key}"


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_a_page_links_to_exists(page: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", PAGES[page].read_text("utf-8")):
        assert re.match("https?://|mailto:", target) or (PAGES[page].parent / target).is_file(), target


def _settings_page() -> str:
    parts = [
        "# Settings\n\n`feedtool.toml` needs only what differs from the defaults. Options of commands come before\n"
        "environment variables (`FEEDTOOL_SITE_URL`, `FEEDTOOL_FEEDS_LIMIT` and so on), these before the file. An unknown\n"
        "key is an error that names its line and the key that was probably meant. `feedtool schema` prints the JSON\n"
        "Schema, for editors.\n"
    ]
    tables: list[tuple[str, str, str]] = [("feedtool.toml", "Settings", "")]
    names = {"feeds.select": '[feeds.select."NAME"]', "categories": '[categories."NAME"]', "sources": "[[sources]]"}
    while tables:
        heading, name, path = tables.pop(0)
        rows = []
        below = []
        for word, key in keys_of(CLASSES[name]).items():
            if not key.in_file:
                continue
            inner = f"{path}.{word}".lstrip(".")
            if isinstance(key.type, Table | TablesByName | ArrayOfTables) and key.type.settings != name:
                below.append((f"`{names.get(inner, f'[{inner}]')}`", key.type.settings, inner))
            else:
                rows.append(_row(word, key))
        parts.append(f"\n## {heading}\n\n| key | default | meaning |\n| --- | --- | --- |\n" + "".join(rows))
        tables[:0] = below
    return "".join(parts)


def _row(word: str, key: Key) -> str:
    default = "required" if key.default is MISSING else ""
    if not default and key.default is not None:
        value = plain(key.type, key.default)
        text = (
            {True: "true", False: "false"}.get(value, "") if isinstance(value, bool) else str(value).replace("'", '"')
        )
        default = f"`{text}`" if not isinstance(value, str) else f'`"{value}"`'
    example = f" For example `{key.example}`." if key.example else ""
    return f"| `{word}` | {default} | {key.doc}{example} |\n".replace("|`", "| `")


def test_the_page_of_settings_is_what_they_say(accept: bool) -> None:
    if accept:
        SETTINGS.write_text(_settings_page(), encoding="utf-8")
    assert SETTINGS.read_text("utf-8") == _settings_page(), (
        "update it with: python -m pytest --accept tests/test_docs.py"
    )


def test_the_architecture_page_has_the_layers() -> None:
    layers = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"][0][
        "layers"
    ]
    page = (ROOT / ".github/ARCHITECTURE.md").read_text(encoding="utf-8")
    block = page.split("<!-- layers -->\n```text\n")[1].split("```")[0]
    assert [re.split(r"\s{2,}", line)[0] for line in block.splitlines()] == layers
